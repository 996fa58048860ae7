/** Where a process is to die: `[service:]point[:n]`, for example `inventory:after-commit:17`, the 17th time it gets there. */
interface Target {
  readonly service: string | undefined;
  readonly point: string;
  readonly passing: number;
}

const target = parseTarget(process.env['HOLDFAST_CRASH_AT']);
let passed = 0;

/**
 * Kills this process, as a power cut would, when `HOLDFAST_CRASH_AT` names this point; otherwise does nothing. Crash tests use it to
 * stop at the moments that matter: `before-ack` and `before-answer` of a subscription, `relay-...` of the relay, and those of an app.
 *
 * @param point what has just happened.
 * @param service tells the services of one process apart.
 */
export function crashPoint(point: string, service?: string): void {
  if (target === undefined || target.point !== point) return;
  if (service !== undefined && target.service !== undefined && service !== target.service) return;
  passed++;
  if (passed === target.passing) process.kill(process.pid, 'SIGKILL');
}

function parseTarget(text: string | undefined): Target | undefined {
  if (!text) return undefined;
  if (process.env['NODE_ENV'] === 'production') throw new Error('HOLDFAST_CRASH_AT kills this process; it is refused in production.');
  const words = text.split(':');
  const passing = /^\d+$/.test(words.at(-1) ?? '') ? Number(words.pop()) : 1;
  const point = words.pop() ?? '';
  return { service: words.pop(), point, passing };
}
