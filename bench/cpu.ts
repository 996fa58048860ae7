import { readdirSync, readFileSync } from 'node:fs';

/** Processor seconds used since boot, by whom: the processes that are measured, PostgreSQL, RabbitMQ, and the benchmark itself. */
export type CpuUse = Readonly<Record<'subject' | 'postgres' | 'rabbitmq' | 'bench', number>>;

const TICKS_PER_SECOND = 100;

/** Reads the processor time from /proc; `null` where there is none, or where database and broker run on another machine. */
export function readCpu(subjectPids: readonly number[]): CpuUse | null {
  const use = { subject: 0, postgres: 0, rabbitmq: 0, bench: 0 };
  try {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      const owner = ownerOf(Number(pid), subjectPids);
      if (owner !== undefined) use[owner] += secondsOf(pid);
    }
  } catch {
    return null;
  }
  return use;
}

/** How many cores each kept busy between two readings. */
export function coresBetween(before: CpuUse | null, after: CpuUse | null, seconds: number): CpuUse | null {
  if (before === null || after === null) return null;
  const cores = (owner: keyof CpuUse) => Math.round(((after[owner] - before[owner]) / seconds) * 100) / 100;
  return { subject: cores('subject'), postgres: cores('postgres'), rabbitmq: cores('rabbitmq'), bench: cores('bench') };
}

function ownerOf(pid: number, subjectPids: readonly number[]): keyof CpuUse | undefined {
  if (pid === process.pid) return 'bench';
  if (subjectPids.includes(pid)) return 'subject';
  const name = read(`/proc/${pid}/comm`).trim();
  if (name === 'postgres') return 'postgres';
  return name.startsWith('beam') ? 'rabbitmq' : undefined;
}

function secondsOf(pid: string): number {
  // The name, in parentheses, may hold blanks; user and system time are the 12th and 13th field after it.
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)!.split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

/** A process may end between being listed and being read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
