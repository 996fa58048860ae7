import fc from 'fast-check';
import { BINS, FINDING_KINDS, ITEMS, ORDERS, ORGS, WAREHOUSES } from './world.js';

// What happens in a simulated world, as plain data that fast-check makes and shrinks. A step says what somebody wants to do ("ship half of
// the order"); the world says what that is at the moment (see `senders.ts`).

type Org = (typeof ORGS)[number];

export interface WantedLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly quantity: string;
  readonly warehouseId?: string;
  /** Which lot it must be of. */
  readonly nthLot?: number;
  readonly life?: number;
}

export type Share = 'one' | 'half' | 'all' | 'more';

/** How a message travels: how many steps late, and how many steps after it comes a second time, by the same id or as a new message. */
export interface Travel {
  readonly late: number;
  readonly again: { readonly after: number; readonly as: 'same' | 'new' } | null;
}

/** What an organisation may say of it. */
export interface Enforcement {
  readonly enforcementPhase: 'dark' | 'soft' | 'hard';
  readonly allowInventoryOversell: boolean;
  readonly discrepancyLockPolicy: 'hard' | 'soft' | 'monitor';
}

export type Step =
  | { readonly do: 'nothing' }
  | {
      readonly do: 'order';
      readonly org: Org;
      readonly order: number;
      readonly says: 'placed' | 'confirmed' | 'amended' | 'cancelled';
      readonly lines: readonly WantedLine[];
      readonly warehouseId: string | null;
      readonly firm: boolean | null;
      readonly ttlSeconds: number | null;
      readonly pendingApproval: boolean;
      /** By how much each line may be short, because somebody approved it. */
      readonly approved: '1' | '20' | null;
      readonly mode: 'all_or_nothing' | 'partial' | null;
      readonly priority: number | null;
      /** By somebody whose order it is not. */
      readonly foreign: boolean;
      /** Names other items on lines of which something was shipped. */
      readonly careless: boolean;
      readonly travel: Travel;
    }
  | {
      readonly do: 'ship';
      readonly org: Org;
      readonly order: number;
      readonly share: Share;
      /** Shipped when nothing is known of the order. */
      readonly lines: readonly WantedLine[];
      readonly warehouseId: string | null;
      readonly closeShortLines: boolean;
      /** Says which lots left: not at all, one for each line, or the parts that were picked, wherever they lay. */
      readonly lots: 'unsaid' | 'named' | 'picked';
      readonly nthLot: number;
      /** Uses the id of an earlier shipment. */
      readonly reuses: boolean;
      readonly travel: Travel;
    }
  | { readonly do: 'unship'; readonly org: Org; readonly which: number; readonly wrongOrder: boolean; readonly travel: Travel }
  | {
      readonly do: 'return';
      readonly org: Org;
      readonly order: number;
      readonly share: Share;
      readonly lines: readonly WantedLine[];
      readonly warehouseId: string;
      readonly condition: 'resellable' | 'damaged' | 'unknown' | null;
      readonly nthLot: number | null;
      readonly reuses: boolean;
      readonly travel: Travel;
    }
  | {
      readonly do: 'inspect';
      readonly org: Org;
      readonly which: number;
      readonly share: Share;
      readonly verdict: 'available' | 'damaged' | 'quarantined' | 'scrap';
      readonly namesLots: boolean;
      readonly travel: Travel;
    }
  | {
      readonly do: 'receive';
      readonly org: Org;
      readonly warehouseId: string;
      readonly lines: readonly {
        itemId: string;
        quantity: string;
        unitCost: string;
        quality: 'available' | 'damaged' | 'pending_inspection' | null;
        nthLot: number;
        bin: string | null;
        /** Names what was announced. */
        isExpected: boolean;
      }[];
      readonly reuses: boolean;
      readonly travel: Travel;
    }
  | {
      readonly do: 'adjust';
      readonly org: Org;
      readonly warehouseId: string;
      readonly itemId: string;
      readonly quantityDelta: string;
      /** Leaves this much at most, whatever is held. */
      readonly leaves: string | null;
      readonly reasonCode: 'damage' | 'loss' | 'found' | 'sample' | 'internal_use' | 'correction';
      /** Which of the places where something lies; null = the default bin, without a lot. */
      readonly nthPlace: number | null;
    }
  | {
      readonly do: 'correct';
      readonly org: Org;
      /** A receipt, counted from the last one back. */
      readonly which: number;
      readonly itemId: string;
      readonly unitCost: string | null;
      readonly landedCost: string | null;
      /** By the id of the last correction. */
      readonly reuses: boolean;
      readonly travel: Travel;
    }
  | {
      readonly do: 'transfer';
      readonly org: Org;
      readonly way: { readonly from: string; readonly to: string };
      readonly mode: 'immediate' | 'in_transit';
      readonly goods: readonly {
        /** Of those of which something is free. */
        readonly nthItem: number;
        readonly share: Share;
        /** One of the lots that are free; null = whichever. */
        readonly nthPlace: number | null;
      }[];
      /** By the id of the last transfer. */
      readonly reuses: boolean;
      readonly travel: Travel;
    }
  | {
      readonly do: 'arrive';
      readonly org: Org;
      /** Of those that are under way. */
      readonly which: number;
      /** Of each line; null = all, without saying of what. */
      readonly share: Share | null;
      readonly namesLots: boolean;
      readonly closeShortLines: boolean;
      readonly reuses: boolean;
      readonly travel: Travel;
    }
  | {
      readonly do: 'pick';
      readonly org: Org;
      readonly order: number;
      /** Nothing but that it was picked; in totals; and where. */
      readonly says: 'as suggested' | 'in all' | 'where';
      readonly share: Share;
      readonly nthPlace: number;
      readonly travel: Travel;
    }
  | {
      readonly do: 'policy';
      readonly org: Org;
      readonly warehouseId: string;
      readonly itemId: string;
      readonly safetyQuantity: string | null;
      readonly safetyPercent: string | null;
      readonly reorderPoint: string | null;
    }
  /** Work inside of a warehouse, where something lies; or what is found out about it. */
  | {
      readonly do: 'work';
      readonly what: 'move' | 'quality' | 'scrap' | 'recall' | 'expire' | 'count' | 'count all';
      readonly org: Org;
      readonly warehouseId: string;
      readonly itemId: string;
      readonly nthPlace: number;
      readonly share: Share;
      readonly bin: string;
      readonly quality: 'available' | 'damaged' | 'quarantined';
      readonly travel: Travel;
    }
  /** The organisation changes what is enforced. */
  | ({ readonly do: 'settings'; readonly org: Org } & Enforcement)
  /** Somebody saw more or less of an item, or in one of the places where something of it lies, than the books say. */
  | {
      readonly do: 'report';
      readonly org: Org;
      readonly warehouseId: string;
      readonly itemId: string;
      /** null = of all of it. */
      readonly nthPlace: number | null;
      readonly difference: string;
      readonly severity: 'low' | 'high' | 'critical' | null;
      /** By the id of the last report. */
      readonly reuses: boolean;
      readonly travel: Travel;
    }
  /** A reconciliation found that the books contradict each other, of which the machine knows nothing. */
  | {
      readonly do: 'reconcile';
      readonly org: Org;
      readonly findings: readonly {
        readonly kind: (typeof FINDING_KINDS)[number];
        readonly warehouseId: string;
        readonly itemId: string;
        /** Of the places where something of the item lies, or of the orders. */
        readonly nth: number;
        readonly difference: string;
      }[];
      readonly travel: Travel;
    }
  /** Somebody decides about a discrepancy. */
  | {
      readonly do: 'decide';
      readonly org: Org;
      /** Of those that are open; of all, when none is. */
      readonly which: number;
      readonly what: 'review' | 'resolve' | 'adjust' | 'dismiss';
      readonly travel: Travel;
    }
  /** Something needs an approval, and somebody else decides about that. */
  | {
      readonly do: 'approve';
      readonly what: 'adjustment' | 'resolution' | 'override';
      readonly org: Org;
      readonly which: number;
      readonly warehouseId: string;
      readonly itemId: string;
      readonly quantityDelta: string;
      readonly reasonCode: 'loss' | 'found' | 'sample';
      readonly verdict: 'approved' | 'rejected' | 'expired';
      /** Which request a discrepancy waits for: of one that it was told nothing of, or that was made anew, the decision comes all the same. */
      readonly awaits: 'this' | 'none' | 'newer';
      readonly travel: Travel;
    }
  | { readonly do: 'wait'; readonly seconds: number }
  /** A sweeper that looks for holds that have run out; a stale one has seen all that will ever run out. */
  | { readonly do: 'sweep'; readonly stale: boolean }
  /** Ends the batch. */
  | { readonly do: 'commit' };

const org = fc.constantFrom(...ORGS);
const order = fc.nat({ max: ORDERS - 1 });
const item = fc.oneof({ weight: 60, arbitrary: fc.constantFrom(...ITEMS) }, { weight: 1, arbitrary: fc.constant('UNKNOWN') });
const warehouse = fc.oneof({ weight: 60, arbitrary: fc.constantFrom(...WAREHOUSES) }, { weight: 1, arbitrary: fc.constant('UNKNOWN') });
const quantity = fc.constantFrom('1', '2', '3', '5', '8', '13', '0.5', '2.25', '1.50', '0.0001');
const share = fc.constantFrom<Share>('all', 'half', 'one', 'more');
const often = <T>(arbitrary: fc.Arbitrary<T>, weight: number) =>
  fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight, arbitrary });
const rarely = fc.nat({ max: 20 }).map((roll) => roll === 20);

const travel: fc.Arbitrary<Travel> = fc.record({
  late: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 12 }) }),
  again: fc.oneof(
    { weight: 5, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.record({ after: fc.nat({ max: 8 }), as: fc.constantFrom('same' as const, 'new' as const) }) },
  ),
});

const nthLot = fc.nat({ max: 11 });
const line = fc.record(
  {
    lineNo: fc.integer({ min: 1, max: 4 }),
    itemId: item,
    quantity,
    warehouseId: warehouse,
    nthLot,
    life: fc.constantFrom(0, 0, 3, 30),
  },
  { requiredKeys: ['lineNo', 'itemId', 'quantity'] },
);
const lines = fc.oneof(
  { weight: 30, arbitrary: fc.uniqueArray(line, { selector: ({ lineNo }) => lineNo, minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(line, { minLength: 1, maxLength: 3 }) },
);

const orderStep = fc.record({
  do: fc.constant('order' as const),
  org,
  order,
  says: fc.constantFrom('placed', 'confirmed', 'amended', 'placed', 'confirmed', 'amended', 'cancelled'),
  lines,
  warehouseId: often(warehouse, 1),
  firm: fc.constantFrom(null, true, false),
  ttlSeconds: fc.constantFrom(null, 60, 600),
  pendingApproval: fc.nat({ max: 6 }).map((roll) => roll === 6),
  approved: fc.constantFrom(null, null, null, null, '1' as const, '20' as const),
  mode: fc.constantFrom(null, 'all_or_nothing' as const, 'partial' as const),
  priority: fc.constantFrom(null, null, 0, 50, 90),
  foreign: rarely,
  careless: rarely,
  travel,
});
const shipStep = fc.record({
  do: fc.constant('ship' as const),
  org,
  order,
  share,
  lines,
  warehouseId: often(warehouse, 1),
  closeShortLines: rarely,
  lots: fc.constantFrom('unsaid' as const, 'named' as const, 'picked' as const),
  nthLot,
  reuses: rarely,
  travel,
});
const unshipStep = fc.record({ do: fc.constant('unship' as const), org, which: fc.nat({ max: 50 }), wrongOrder: rarely, travel });
const returnStep = fc.record({
  do: fc.constant('return' as const),
  org,
  order,
  share,
  lines,
  warehouseId: warehouse,
  condition: fc.constantFrom(null, 'resellable' as const, 'damaged' as const, 'unknown' as const),
  nthLot: often(nthLot, 1),
  reuses: rarely,
  travel,
});
const inspectStep = fc.record({
  do: fc.constant('inspect' as const),
  org,
  which: fc.nat({ max: 50 }),
  share,
  verdict: fc.constantFrom('available' as const, 'damaged' as const, 'quarantined' as const, 'scrap' as const),
  namesLots: fc.boolean(),
  travel,
});
const unitCost = fc.constantFrom('1.50', '2', '0.3333', '7', '0');
const receiveStep = fc.record({
  do: fc.constant('receive' as const),
  org,
  warehouseId: warehouse,
  lines: fc.array(
    fc.record({
      itemId: item,
      quantity,
      unitCost,
      quality: fc.constantFrom(null, null, null, 'available' as const, 'damaged' as const),
      nthLot,
      bin: fc.constantFrom(null, null, 'default', ...BINS),
      isExpected: fc.nat({ max: 4 }).map((roll) => roll === 4),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  reuses: rarely,
  travel,
});
const adjustStep = fc.record({
  do: fc.constant('adjust' as const),
  org,
  warehouseId: warehouse,
  itemId: item,
  quantityDelta: fc.oneof(
    { weight: 3, arbitrary: quantity.map((text) => `-${text}`) },
    { weight: 1, arbitrary: quantity },
    { weight: 1, arbitrary: fc.constantFrom('-20', '0') },
  ),
  leaves: fc.constantFrom(null, null, '0', '0.5', '1', '4'),
  reasonCode: fc.constantFrom('damage', 'loss', 'found', 'sample', 'internal_use', 'correction'),
  nthPlace: often(fc.nat({ max: 6 }), 2),
});
const correctStep = fc.record({
  do: fc.constant('correct' as const),
  org,
  which: fc.nat({ max: 6 }),
  itemId: item,
  unitCost: often(unitCost, 2),
  landedCost: fc.constantFrom(null, null, '10', '0.0001', '-3'),
  reuses: rarely,
  travel,
});
const policyStep = fc.record({
  do: fc.constant('policy' as const),
  org,
  warehouseId: warehouse,
  itemId: item,
  safetyQuantity: fc.constantFrom(null, '0', '2', '6.5'),
  safetyPercent: fc.constantFrom(null, null, '10', '33.3333'),
  reorderPoint: fc.constantFrom(null, '0', '5'),
});

const workStep = fc.record({
  do: fc.constant('work' as const),
  what: fc.constantFrom('move', 'move', 'quality', 'quality', 'scrap', 'recall', 'expire', 'expire', 'count', 'count all'),
  org,
  warehouseId: fc.constantFrom(...WAREHOUSES),
  itemId: fc.constantFrom(...ITEMS),
  nthPlace: fc.nat({ max: 11 }),
  share,
  bin: fc.constantFrom('default', ...BINS),
  quality: fc.constantFrom('available', 'damaged', 'quarantined'),
  travel,
});

const ways = WAREHOUSES.flatMap((from) => WAREHOUSES.map((to) => ({ from, to }))).filter(({ from, to }) => from !== to);
const transferStep = fc.record({
  do: fc.constant('transfer' as const),
  org,
  way: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...ways) },
    { weight: 1, arbitrary: fc.record({ from: warehouse, to: warehouse }) },
  ),
  mode: fc.constantFrom('immediate' as const, 'in_transit' as const, 'in_transit' as const),
  goods: fc.array(fc.record({ nthItem: fc.nat({ max: 5 }), share, nthPlace: often(fc.nat({ max: 11 }), 1) }), {
    minLength: 1,
    maxLength: 3,
  }),
  reuses: rarely,
  travel,
});
const arriveStep = fc.record({
  do: fc.constant('arrive' as const),
  org,
  which: fc.nat({ max: 6 }),
  share: often(share, 3),
  namesLots: fc.boolean(),
  closeShortLines: fc.boolean(),
  reuses: rarely,
  travel,
});
const pickStep = fc.record({
  do: fc.constant('pick' as const),
  org,
  order,
  says: fc.constantFrom('as suggested' as const, 'in all' as const, 'where' as const),
  share,
  nthPlace: fc.nat({ max: 11 }),
  travel,
});

const settingsStep = fc.record({
  do: fc.constant('settings' as const),
  org,
  enforcementPhase: fc.constantFrom('dark' as const, 'soft' as const, 'hard' as const, 'hard' as const),
  allowInventoryOversell: fc.boolean(),
  discrepancyLockPolicy: fc.constantFrom('hard' as const, 'soft' as const, 'monitor' as const),
});
const reportStep = fc.record({
  do: fc.constant('report' as const),
  org,
  warehouseId: warehouse,
  itemId: item,
  nthPlace: often(fc.nat({ max: 11 }), 2),
  difference: fc.constantFrom('-1', '-1', '-3', '-40', '1', '0.5', '0'),
  severity: fc.constantFrom(null, null, 'low' as const, 'high' as const, 'critical' as const),
  reuses: rarely,
  travel,
});
const reconcileStep = fc.record({
  do: fc.constant('reconcile' as const),
  org,
  findings: fc.array(
    fc.record({
      kind: fc.constantFrom(...FINDING_KINDS),
      warehouseId: warehouse,
      itemId: item,
      nth: fc.nat({ max: 11 }),
      difference: fc.constantFrom('-1', '-3', '-40', '1', '0.5', '0.0001'),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  travel,
});
const decideStep = fc.record({
  do: fc.constant('decide' as const),
  org,
  which: fc.nat({ max: 30 }),
  what: fc.constantFrom('review' as const, 'resolve' as const, 'adjust' as const, 'adjust' as const, 'dismiss' as const),
  travel,
});
const approveStep = fc.record({
  do: fc.constant('approve' as const),
  what: fc.constantFrom('adjustment' as const, 'resolution' as const, 'override' as const, 'override' as const),
  org,
  which: fc.nat({ max: 30 }),
  warehouseId: fc.constantFrom(...WAREHOUSES),
  itemId: fc.constantFrom(...ITEMS),
  quantityDelta: fc.constantFrom('-2', '-8', '3'),
  reasonCode: fc.constantFrom('loss' as const, 'found' as const, 'sample' as const),
  verdict: fc.constantFrom('approved' as const, 'approved' as const, 'approved' as const, 'rejected' as const, 'expired' as const),
  awaits: fc.constantFrom('this' as const, 'this' as const, 'none' as const, 'newer' as const),
  travel,
});

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { withCrossShrink: true },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'nothing' }) },
  { weight: 40, arbitrary: orderStep },
  { weight: 16, arbitrary: shipStep },
  { weight: 5, arbitrary: unshipStep },
  { weight: 8, arbitrary: returnStep },
  { weight: 8, arbitrary: inspectStep },
  { weight: 8, arbitrary: receiveStep },
  { weight: 8, arbitrary: adjustStep },
  { weight: 4, arbitrary: correctStep },
  { weight: 4, arbitrary: policyStep },
  { weight: 10, arbitrary: workStep },
  { weight: 6, arbitrary: transferStep },
  { weight: 6, arbitrary: arriveStep },
  { weight: 10, arbitrary: pickStep },
  { weight: 2, arbitrary: settingsStep },
  { weight: 4, arbitrary: reportStep },
  { weight: 4, arbitrary: reconcileStep },
  { weight: 6, arbitrary: decideStep },
  { weight: 5, arbitrary: approveStep },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 30, 120, 700) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('sweep' as const), stale: rarely }) },
  { weight: 30, arbitrary: fc.constant<Step>({ do: 'commit' }) },
);

/** A day in the life of a few orders: long enough that orders are placed, shipped, returned and shorted. */
export const someDay = fc.array(anyStep, { minLength: 1, maxLength: 400, size: 'max' });

/** Such a day that is all about one item, so that orders get in each other's way and rare things happen. */
export function crowdedDay(itemId: (typeof ITEMS)[number], warehouseId?: (typeof WAREHOUSES)[number]): fc.Arbitrary<Step[]> {
  const replaced = (key: string, value: unknown) => {
    if (key === 'itemId') return itemId;
    return key === 'warehouseId' && value !== null ? (warehouseId ?? value) : value;
  };
  return someDay.map((steps) => JSON.parse(JSON.stringify(steps), replaced) as Step[]);
}
