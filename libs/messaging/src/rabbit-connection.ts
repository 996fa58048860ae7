import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { connect, type Channel, type ChannelModel, type RecoveringChannelModel } from 'amqplib';
import { coalesceWrites } from '#libs/persistence';
import type { DeliveryStatus } from './delivery.js';

export interface RabbitConnectionOptions {
  readonly url: string;
  /** Shown in the broker's list of connections. */
  readonly name: string;
  /** Bounds TCP, handshake, and `setUp`, each. */
  readonly timeoutMs: number;
  /** Declares and opens what is needed, on every new connection. */
  readonly setUp: (model: ChannelModel, connection: RabbitConnection) => Promise<void>;
  readonly onConnected?: () => void;
  readonly onLost?: () => void;
  readonly onUnblocked?: () => void;
}

const RECONNECT_FIRST_MS = 100;
const RECONNECT_MAX_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;
/** A peer that is gone without a word is noticed within twice this. */
const HEARTBEAT_SECONDS = 15;

/**
 * A connection that comes back, by amqplib's own recovery. Whatever goes wrong on it, a lost socket, a channel that the broker closed, a
 * confirm that does not come, is answered in one way: the socket is cut, and everything is set up anew.
 */
export class RabbitConnection {
  readonly #logger = new Logger(RabbitConnection.name);
  readonly #options: RabbitConnectionOptions;
  readonly #recovering: Promise<RecoveringChannelModel>;
  #model: ChannelModel | undefined;
  #state: DeliveryStatus['state'] = 'connecting';
  #blocked: string | null = null;
  #lastError: string | null = null;

  private constructor(options: RabbitConnectionOptions) {
    this.#options = options;
    this.#recovering = connect(withHeartbeat(options.url), {
      noDelay: true,
      keepAlive: true,
      // In effect until the handshake is over, each time nothing comes for so long.
      timeout: options.timeoutMs,
      clientProperties: { connection_name: options.name },
      recovery: {
        waitForConnect: false,
        initialDelay: RECONNECT_FIRST_MS,
        maxDelay: RECONNECT_MAX_MS,
        setup: (model: ChannelModel) => this.#setUp(model),
      },
    });
  }

  /**
   * Connects.
   *
   * @throws when there is no connection after `timeoutMs`, with what was wrong last.
   */
  static async open(options: RabbitConnectionOptions): Promise<RabbitConnection> {
    const connection = new RabbitConnection(options);
    const recovering = await connection.#recovering;
    connection.#listen(recovering);
    const connected = recovering.waitForConnect().then(() => true);
    if (await Promise.race([connected, delay(options.timeoutMs, false, { ref: false })])) return connection;
    await connection.close();
    const { host } = new URL(options.url);
    throw new Error(`RabbitMQ at ${host} could not be used: ${connection.#lastError ?? `no answer within ${options.timeoutMs} ms`}`);
  }

  get status(): DeliveryStatus {
    return { state: this.#state, blocked: this.#blocked, lastError: this.#lastError };
  }

  /** Connected, and the broker takes messages. */
  get takesMessages(): boolean {
    return this.#state === 'connected' && this.#blocked === null;
  }

  /** A channel without which this connection is of no use: when the broker closes it, all is set up anew. */
  guard<C extends Channel>(channel: C): C {
    channel.on('error', (error) => (this.#lastError = error.message));
    channel.on('close', () => this.reset('a channel was closed'));
    return channel;
  }

  /** Cuts the socket; recovery sets everything up anew. */
  reset(reason: string): void {
    if (this.#state !== 'closed' && this.#model !== undefined) cut(this.#model, reason);
  }

  /** From now on what closes is meant to. */
  expectClose(): void {
    this.#state = 'closed';
  }

  async close(): Promise<void> {
    this.expectClose();
    const recovering = await this.#recovering;
    // Never waited for without a bound: a peer that is gone does not answer, and amqplib would wait for ever.
    await Promise.race([recovering.close().catch(() => {}), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    if (this.#model !== undefined) cut(this.#model, 'closed');
  }

  #listen(recovering: RecoveringChannelModel): void {
    recovering.on('connect', () => {
      this.#state = 'connected';
      this.#blocked = null;
      this.#logger.log(`Connected to RabbitMQ (${this.#options.name})`);
      this.#options.onConnected?.();
    });
    recovering.on('disconnect', (error) => {
      if (this.#state !== 'closed') this.#state = 'connecting';
      this.#lastError = error.message;
      this.#logger.warn(`The connection to RabbitMQ was lost (${this.#options.name}): ${error.message}`);
      this.#options.onLost?.();
    });
    recovering.on('connect-failed', (error) => {
      this.#lastError = error.message;
      this.#logger.warn(`No connection to RabbitMQ (${this.#options.name}): ${error.message}`);
    });
    recovering.on('blocked', (reason: string) => {
      this.#blocked = reason;
      this.#logger.warn(`RabbitMQ takes no messages at the moment: ${reason}`);
    });
    recovering.on('unblocked', () => {
      this.#blocked = null;
      this.#logger.log('RabbitMQ takes messages again');
      this.#options.onUnblocked?.();
    });
    // Told by `disconnect` too; without a listener it would end the process.
    recovering.on('error', () => {});
  }

  async #setUp(model: ChannelModel): Promise<void> {
    // Recovery listens only when this is over; an error in between would end the process.
    model.on('error', () => {});
    this.#model = model;
    coalesceWrites(socketOf(model));
    const tooLate = setTimeout(() => cut(model, `setting up took more than ${this.#options.timeoutMs} ms`), this.#options.timeoutMs);
    try {
      await this.#options.setUp(model, this);
    } catch (error) {
      // Recovery closes the connection politely before the next attempt, without a bound.
      cut(model, 'setting up failed');
      throw error;
    } finally {
      clearTimeout(tooLate);
    }
  }
}

/** amqplib has no way to give a connection up at once; destroying its socket with an error is what it sees when a cable is pulled. */
function cut(model: ChannelModel, reason: string): void {
  socketOf(model).destroy(new Error(reason));
}

function socketOf(model: ChannelModel): Socket {
  return (model.connection as unknown as { stream: Socket }).stream;
}

function withHeartbeat(text: string): string {
  const url = new URL(text);
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
  return url.href;
}
