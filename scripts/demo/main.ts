import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { Api, NothingThere, Refused } from './api.js';
import { checkStock, type StockCheck } from './check-stock.js';
import { planDay, RUSH } from './plan-day.js';
import { DayPlayer, HAPPENINGS, type Tally } from './play-day.js';

const USAGE = `npm run demo -- [options]

  --orders N   orders of the day (150)
  --seed N     the same seed plays the same day (1)
  --org ID     organisation, not used before (the first unused of demo, demo-2, demo-3, ...)

Environment: HOLDFAST_URL, where Holdfast answers (http://127.0.0.1:3000).`;

/** Creates an organisation, plays a day in it through the HTTP API, and checks that the stock agrees with itself afterwards. */
async function demo(): Promise<number> {
  const { values } = parseArgs({
    options: {
      orders: { type: 'string', default: '150' },
      seed: { type: 'string', default: '1' },
      org: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const orders = Number(values.orders);
  const seed = Number(values.seed);
  if (values.help || !(Number.isInteger(orders) && orders > 0 && Number.isInteger(seed))) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const baseUrl = process.env['HOLDFAST_URL'] ?? 'http://127.0.0.1:3000';
  const signIn = await signInAt(baseUrl);
  const orgId = values.org ?? (await firstUnused(signIn));
  const [ines, sam, wanda, ada] = await Promise.all([
    signIn(orgId, 'ines', 'inventory_manager'),
    signIn(orgId, 'sam', 'sales'),
    signIn(orgId, 'wanda', 'warehouse'),
    signIn(orgId, 'ada', 'admin'),
  ]);

  const day = planDay(seed, orders);
  const bar = progressBar(DayPlayer.steps(day));
  const player = new DayPlayer({ ines, sam, wanda }, bar.step);
  try {
    await player.play(day);
  } finally {
    bar.stop();
  }
  const check = await checkStock(ada);
  console.log(summary(orgId, seed, player.tally));
  console.log(verdict(check));
  console.log(whereToLook(baseUrl, ada));
  return check.mismatches.length === 0 ? 0 : 1;
}

type SignIn = (orgId: string, userId: string, role: string) => Promise<Api>;

/** Answers a function that signs a user in, once it is sure that Holdfast is there. */
async function signInAt(baseUrl: string): Promise<SignIn> {
  const anyone = new Api(baseUrl);
  await anyone.get('/health/live').catch((error: unknown) => {
    if (!(error instanceof NothingThere || error instanceof Refused || error instanceof SyntaxError)) throw error;
    throw new Error(`No Holdfast answers at ${baseUrl}. Start one with "npm start", or say where it is with HOLDFAST_URL.`);
  });
  return async (orgId, userId, role) => {
    const body = { orgId, userId, roles: [role] };
    const { accessToken } = await anyone.post<{ accessToken: string }>('/api/v1/auth/token', body).catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error;
      throw new Error(
        `Holdfast at ${baseUrl} gives no development tokens (${error.message}). The demo needs one that runs with HOLDFAST_AUTH=dev.`,
      );
    });
    return new Api(baseUrl, accessToken);
  };
}

/** `demo` is the organisation of the tokens that `npm start` prints; a second demo on the same instance gets one of its own. */
async function firstUnused(signIn: SignIn): Promise<string> {
  for (let n = 1; ; n++) {
    const orgId = n === 1 ? 'demo' : `demo-${n}`;
    const api = await signIn(orgId, 'ada', 'admin');
    const { items } = await api.get<{ items: unknown[] }>('/api/v1/items?limit=1');
    if (items.length === 0) return orgId;
  }
}

/** A bar on a terminal; elsewhere one line for each hour of the day. */
function progressBar(steps: number): { step: (what: string) => void; stop: () => void } {
  if (!process.stdout.isTTY) {
    let last = '';
    return {
      step: (what) => {
        if (what !== last) console.log((last = what));
      },
      stop: () => undefined,
    };
  }
  const bar = new SingleBar({ format: '{bar} {percentage}%  {what}', hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
  bar.start(steps, 0, { what: '' });
  return { step: (what) => bar.increment({ what }), stop: () => bar.stop() };
}

function summary(orgId: string, seed: number, tally: Tally): string {
  const lines = HAPPENINGS.map((what) => `  ${(tally[what] ?? 0).toLocaleString('en-GB').padStart(6)}  ${what}`);
  const lamps = `${RUSH.customers} customers wanted one of ${RUSH.units} lamps at the same moment: ${tally['lamps promised in the rush'] ?? 0} were promised.`;
  return [`A day in organisation ${orgId} (seed ${seed}):`, ...lines, '', lamps].join('\n');
}

function verdict({ balances, ledgerEntries, reservations, mismatches }: StockCheck): string {
  const looked = `${balances} balances, ${ledgerEntries} ledger entries, ${reservations} open reservations`;
  if (mismatches.length > 0) return `Stock does NOT agree (${looked}):\n${mismatches.map((mismatch) => `  ${mismatch}`).join('\n')}`;
  return `Stock agrees (${looked}): on hand is the sum of the ledger, reserved is the sum of the reservations, nothing is sold twice.`;
}

function whereToLook(baseUrl: string, { token }: Api): string {
  return [
    '',
    'Where to look:',
    `  ${baseUrl}/api/docs`,
    ...['orders', 'inventory/stock', 'inventory/ledger', 'inventory/availability?itemId=mug-blue', 'audit/events'].map(
      (path) => `  ${baseUrl}/api/v1/${path}`,
    ),
    `with this header (an admin of the organisation):`,
    `  Authorization: Bearer ${token ?? ''}`,
  ].join('\n');
}

try {
  process.exitCode = await demo();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
