import { parseArgs } from 'node:util';

/** The parts of the benchmark, in the order in which they run. */
export const PARTS = [
  'spread',
  'hot',
  'orgs',
  'latency',
  'atp',
  'orders',
  'import',
  'lots',
  'large',
  'reconciliation',
  'reports',
  'before',
] as const;
export type Part = (typeof PARTS)[number];

/** Who does the work that is measured; see subjects.ts. */
export const SUBJECTS = ['yardstick', 'holdfast1', 'holdfast2', 'naive'] as const;
export type SubjectKey = (typeof SUBJECTS)[number];

export interface Options {
  readonly parts: readonly Part[];
  readonly subjects: readonly SubjectKey[];
  /** Orders per subject and round; the naive subject gets an eighth, because it needs several times as long for each. */
  readonly orders: number;
  readonly warmupOrders: number;
  /** Lines of each file of the import part. */
  readonly lines: number;
  /** Balances of the warehouse of the parts large and reconciliation, each with ten ledger entries. */
  readonly balances: number;
  /** Events of each kind that the reports part counts. */
  readonly events: number;
  /** Another repository of Holdfast, built, whose inventory the part of the part before compares with; absent = that part is left out. */
  readonly before: string | undefined;
  readonly rounds: number;
  /** How long each timed load (latency, ATP, orders over HTTP, orders during an import) lasts, in each round. */
  readonly seconds: number;
  /** Orders per second of the latency part, and while importing; absent = a quarter, and a tenth, of the yardstick's top rate in this run. */
  readonly rate: number | undefined;
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly output: string;
  /** Exit with 1 when a target is missed. */
  readonly check: boolean;
}

export const USAGE = `npm run bench -- [options]

  --only PART[,PART]      ${PARTS.join(', ')}; all when absent
  --subjects NAME[,NAME]  ${SUBJECTS.join(', ')}; all when absent
  --short                 a run of about a minute, for CI: shows that it works, not how fast it is
  --orders N              orders per subject and round (40000)
  --lines N               lines of each imported file (100000)
  --balances N            balances of the warehouse of large and reconciliation, each with ten ledger entries (1000000)
  --events N              events of each kind that the reports part counts (1000000)
  --before DIR            another checkout, built, whose inventory the part of the part before compares with; without it that part is left out
  --rounds N              rounds, in alternating order (3)
  --seconds N             length of each timed load (10)
  --rate N                orders per second of the latency part (a quarter of the yardstick's top rate; a tenth while importing)
  --output DIR            where results go (bench/results)
  --check                 exit with 1 when a target is missed

Environment: DATABASE_URL (postgres://postgres@127.0.0.1:5432/postgres; a user that may create databases and roles),
AMQP_URL (amqp://guest:guest@127.0.0.1:5672). Everything it creates there is removed at the end, also after Ctrl-C.`;

/** Reads the command line; throws an error that says what is wrong with it. Answers `null` when only help is asked for. */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      subjects: { type: 'string' },
      short: { type: 'boolean', default: false },
      orders: { type: 'string' },
      lines: { type: 'string' },
      balances: { type: 'string' },
      events: { type: 'string' },
      before: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      output: { type: 'string', default: 'bench/results' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const parts = chosen('only', values.only, PARTS);
  if (values.only !== undefined && values.before === undefined && parts.includes('before'))
    throw new Error('--only before compares with another checkout: say which one with --before DIR.');
  const orders = positive('orders', values.orders) ?? (values.short ? 5_000 : 40_000);
  return {
    parts: values.before === undefined ? parts.filter((part) => part !== 'before') : parts,
    subjects: chosen('subjects', values.subjects, SUBJECTS),
    orders,
    warmupOrders: Math.min(4_000, orders),
    lines: positive('lines', values.lines) ?? (values.short ? 10_000 : 100_000),
    balances: positive('balances', values.balances) ?? (values.short ? 20_000 : 1_000_000),
    events: positive('events', values.events) ?? (values.short ? 20_000 : 1_000_000),
    before: values.before,
    rounds: positive('rounds', values.rounds) ?? (values.short ? 1 : 3),
    seconds: positive('seconds', values.seconds) ?? (values.short ? 3 : 10),
    rate: positive('rate', values.rate),
    databaseUrl: env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres',
    amqpUrl: env['AMQP_URL'] ?? 'amqp://guest:guest@127.0.0.1:5672',
    output: values.output,
    check: values.check,
  };
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number above 0, not "${text}".`);
  return value;
}

function chosen<T extends string>(name: string, text: string | undefined, all: readonly T[]): readonly T[] {
  if (text === undefined) return all;
  const names = text.split(',').map((word) => word.trim());
  const unknown = names.find((word) => !all.some((known) => known === word));
  if (unknown !== undefined) throw new Error(`--${name} knows ${all.join(', ')}, not "${unknown}".`);
  return all.filter((known) => names.includes(known));
}
