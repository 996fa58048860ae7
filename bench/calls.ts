import { connect } from 'amqplib';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CpuUse } from './cpu.js';
import { percentile, PERCENTILES } from './latency.js';

/** Calls over RPC that were made by a fixed number of callers, each waiting for its answer before it calls again. */
export interface CallResult {
  readonly part: 'atp';
  readonly subject: 'availability' | 'empty';
  readonly round: number;
  readonly callers: number;
  readonly callsPerSecond: number;
  readonly percentilesMs: readonly number[];
  readonly cores: CpuUse | null;
}

export interface CallLoad {
  readonly amqpUrl: string;
  readonly queue: string;
  readonly pattern: string;
  readonly callers: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** The request, already as JSON. */
  readonly data: () => string;
}

const DIRECT_REPLY = 'amq.rabbitmq.reply-to';
const ERROR = Buffer.from('"err":');

/** Calls a service as any AMQP client would; answers the waits in ms, sorted, of the calls after the warm-up. */
export async function loadCalls(load: CallLoad, signal: AbortSignal): Promise<{ waitedMs: Float64Array; seconds: number }> {
  const connection = await connect(load.amqpUrl, { timeout: 5_000 });
  const channel = await connection.createChannel();
  const startedMs = new Float64Array(load.callers);
  const waitedMs: number[] = [];
  const beginMs = performance.now();
  const countFromMs = beginMs + load.warmupSeconds * 1_000;
  const untilMs = countFromMs + load.seconds * 1_000;
  let failure: Error | undefined;
  let answered = 0;

  const call = (caller: number) => {
    startedMs[caller] = performance.now();
    const body = `{"pattern":"${load.pattern}","id":"${caller}","data":${load.data()}}`;
    channel.sendToQueue(load.queue, Buffer.from(body), {
      correlationId: String(caller),
      replyTo: DIRECT_REPLY,
      contentType: 'application/json',
      expiration: '5000',
    });
  };
  await channel.consume(
    DIRECT_REPLY,
    (message) => {
      if (message === null) return;
      answered++;
      if (message.content.includes(ERROR)) failure ??= new Error(`${load.pattern} answered with an error: ${message.content.toString()}`);
      const caller = Number(message.properties.correlationId);
      const nowMs = performance.now();
      if (startedMs[caller]! >= countFromMs && nowMs <= untilMs) waitedMs.push(nowMs - startedMs[caller]!);
      if (nowMs < untilMs && failure === undefined) call(caller);
    },
    { noAck: true },
  );
  for (let caller = 0; caller < load.callers; caller++) call(caller);
  let answeredBefore = -1;
  try {
    while (performance.now() < untilMs) {
      await sleep(Math.min(5_000, Math.max(1, untilMs - performance.now())), undefined, { signal });
      if (failure !== undefined) throw failure;
      if (answered === answeredBefore) throw new Error(`${load.pattern} on ${load.queue} does not answer.`);
      answeredBefore = answered;
    }
  } finally {
    await Promise.race([connection.close(), sleep(2_000, undefined, { ref: false })]);
  }
  return { waitedMs: Float64Array.from(waitedMs).sort(), seconds: load.seconds };
}

export function percentilesOf(sortedMs: Float64Array): number[] {
  return PERCENTILES.map((percent) => percentile(sortedMs, percent));
}
