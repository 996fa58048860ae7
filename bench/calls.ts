import { connect } from 'amqplib';
import { setTimeout as sleep } from 'node:timers/promises';

const DIRECT_REPLY = 'amq.rabbitmq.reply-to';
const ERROR = Buffer.from('"err":');
const TIMEOUT_MS = 5_000;

/** A number of callers on a service's queue, each of which waits for its answer before it calls again. */
export interface Calls {
  readonly amqpUrl: string;
  /** `inventory.rpc`, with the prefix of the run. */
  readonly queue: string;
  readonly callers: number;
  /** How long a call may wait to be begun; default 5,000. */
  readonly timeoutMs?: number;
  /** The next call, in JSON; `null` when there is none any more. */
  readonly next: () => string | null;
  /** Told of every answer: when its call was made and when it came, in ms of `performance.now()`. */
  readonly onAnswer?: (calledMs: number, answeredMs: number) => void;
}

/** Calls as any AMQP client would, on the wire, until there is no next call. Throws when one is answered with an error, or not at all. */
export async function makeCalls(calls: Calls, signal: AbortSignal): Promise<void> {
  const { timeoutMs = TIMEOUT_MS } = calls;
  const connection = await connect(calls.amqpUrl, { timeout: 5_000 });
  connection.on('error', () => undefined);
  const channel = await connection.createChannel();
  const calledMs = new Float64Array(calls.callers);
  let waiting = 0;
  let answered = 0;
  let failure: Error | undefined;

  const callAs = (caller: number) => {
    const body = failure === undefined ? calls.next() : null;
    if (body === null) return;
    waiting++;
    calledMs[caller] = performance.now();
    const options = { correlationId: String(caller), replyTo: DIRECT_REPLY, contentType: 'application/json', expiration: timeoutMs };
    channel.sendToQueue(calls.queue, Buffer.from(body), options);
  };
  await channel.consume(
    DIRECT_REPLY,
    (message) => {
      if (message === null) return;
      waiting--;
      answered++;
      if (message.content.includes(ERROR)) failure ??= new Error(`${calls.queue} answered with an error: ${message.content.toString()}`);
      const caller = Number(message.properties.correlationId);
      calls.onAnswer?.(calledMs[caller]!, performance.now());
      callAs(caller);
    },
    { noAck: true },
  );
  try {
    for (let caller = 0; caller < calls.callers; caller++) callAs(caller);
    let [seen, seenAtMs] = [-1, 0];
    while (waiting > 0 && failure === undefined) {
      if (answered !== seen) [seen, seenAtMs] = [answered, performance.now()];
      else if (performance.now() - seenAtMs > 2 * timeoutMs) throw new Error(`${calls.queue} does not answer.`);
      await sleep(10, undefined, { signal });
    }
    if (failure !== undefined) throw failure;
  } finally {
    await Promise.race([connection.close(), sleep(2_000, undefined, { ref: false })]);
  }
}

/** A call as it goes onto the wire. */
export function callBody(pattern: string, data: unknown): string {
  return JSON.stringify({ pattern, id: pattern, data });
}
