/**
 * The deliveries of one channel that are done and not yet acknowledged. As long as there is no gap one acknowledgement covers all,
 * which at 8,000 messages a second is a few hundred frames instead of 8,000.
 */
export class AckWindow {
  readonly #done = new Set<number>();
  /** Acknowledged one by one, past a gap. */
  readonly #alone = new Set<number>();
  /** The lowest delivery tag that is not done; the broker counts from 1 on each channel. */
  #next = 1;
  #flush: NodeJS.Immediate | undefined;
  #open = true;

  /**
   * @param ack acknowledges one delivery, or all up to it.
   * @param heldMax how many deliveries may wait behind one that is slow: beyond it they are acknowledged one by one, so that it does
   * not keep the broker from sending more.
   */
  constructor(
    private readonly ack: (deliveryTag: number, allUpTo: boolean) => void,
    private readonly heldMax: number,
  ) {}

  /** False once the channel is lost: its tags mean nothing any more, and what was not acknowledged comes again. */
  get isOpen(): boolean {
    return this.#open;
  }

  done(deliveryTag: number): void {
    this.#done.add(deliveryTag);
    // What one batch has finished is done in the same turn of the event loop.
    this.#flush ??= setImmediate(() => this.flush());
  }

  /** Acknowledges what is done. */
  flush(): void {
    clearImmediate(this.#flush);
    this.#flush = undefined;
    if (!this.#open) return;
    let upTo = 0;
    for (; ; this.#next++) {
      // The tag that closes an acknowledgement of several must be unacknowledged itself.
      if (this.#done.delete(this.#next)) upTo = this.#next;
      else if (!this.#alone.delete(this.#next)) break;
    }
    if (upTo > 0) this.ack(upTo, true);
    if (this.#done.size <= this.heldMax) return;
    for (const tag of this.#done) {
      this.ack(tag, false);
      this.#alone.add(tag);
    }
    this.#done.clear();
  }

  close(): void {
    this.#open = false;
    clearImmediate(this.#flush);
  }
}
