import { belowZeroKey } from '../discrepancies/discrepancy.js';
import type { CorrectCost, CountStock, FoundCommand, RunOverride, StockCommand } from './commands.js';
import { DEFAULT_LOCATION, NO_LOT } from './quants.js';
import { balanceKey, lotNameKey, subjectKey } from './balance.js';
import { movementKey } from './movement.js';

/** What a command will read and change, as far as the command itself tells. */
export interface Touches {
  readonly orgId: string;
  /** Balances that it names. */
  readonly balances: readonly string[];
  /** `org/item` for lines that name no warehouse: any warehouse may serve them. */
  readonly sourcing: readonly string[];
  /** The order it is about, whose other balances are touched too. */
  readonly demand: string | null;
  readonly shipment: string | null;
  readonly customerReturn: string | null;
  readonly transfer: string | null;
  readonly movement: string | null;
  /** The receipt of which it corrects the costs. */
  readonly correction: ReceiptTouches | null;
  /** The named balances that it may free stock on, so that who waits there must be read. */
  readonly frees: boolean;
  /** The named balances that it may take held stock from. */
  readonly shorts: boolean;
  /** Whether it posts a movement, on what it names and on what its order, shipment or return is about; `issues`: goods leave. */
  readonly posts: 'nothing' | 'receives' | 'issues';
  /** Whether it must know what was shipped for its order. */
  readonly knowsShipments: boolean;
  /** Lots that it names, to be read whole: balance keys with the lot appended; `''` stands for what has none. */
  readonly lots: readonly string[];
  /** `org/item/lot` of lines that name a lot and no warehouse. */
  readonly sourcingLots: readonly string[];
  /** `org/warehouse/bin` of bins that it names. */
  readonly locations: readonly string[];
  /** `org/id` of the expected receipts that it is what came of. */
  readonly expectedReceipts: readonly string[];
  /** Lots of which every hold is to be read: balance keys with the lot appended. */
  readonly lotHolds: readonly string[];
  /** `org/item/lot` of a lot that it is about in every warehouse. */
  readonly wholeLot: string | null;
  /** `org/warehouse` of a warehouse that it is about as a whole. */
  readonly wholeWarehouse: string | null;
  /** Whether it must know what was posted on its balances since then. */
  readonly postedSince: string | null;
  /** The keys of findings that it may have been recorded under before. */
  readonly findings: readonly string[];
  /** Whether it must know which discrepancies are open on what it names. */
  readonly knowsDiscrepancies: boolean;
  /** The requests for approval that it is about. */
  readonly approvals: readonly string[];
  /** The discrepancies that it is about. */
  readonly discrepancies: readonly string[];
}

/** What a correction of a receipt's costs touches: all that is left of some of its goods. */
export interface ReceiptTouches {
  readonly receipt: string;
  /** `org/receipt/item` */
  readonly goods: readonly string[];
  /** The correction itself, by its `commandId`. */
  readonly command: string;
}

/** What one command touches, with what its earlier decision asked for in addition. */
export interface Needs extends Touches {
  readonly holdsPerBalanceMax?: number;
  readonly waitingPerBalanceMax?: number;
  readonly quantsPerBalanceMax?: number;
  readonly layersPerBalanceMax?: number;
  /** Balances whose counters are to be compared with what they are derived from. */
  readonly derived?: readonly string[];
}

const NOTHING: Omit<Touches, 'orgId'> = {
  balances: [],
  sourcing: [],
  demand: null,
  shipment: null,
  customerReturn: null,
  transfer: null,
  movement: null,
  correction: null,
  frees: false,
  shorts: false,
  posts: 'nothing',
  knowsShipments: false,
  lots: [],
  sourcingLots: [],
  locations: [],
  expectedReceipts: [],
  lotHolds: [],
  wholeLot: null,
  wholeWarehouse: null,
  postedSince: null,
  findings: [],
  knowsDiscrepancies: false,
  approvals: [],
  discrepancies: [],
};

/** What each command touches; the counterpart of `decide`, which asks for more when this was not enough. */
export function touches(command: StockCommand): Touches {
  const { orgId } = command;
  switch (command.kind) {
    case 'set-demand':
      return { ...NOTHING, orgId, ...placesOf(orgId, command.lines, command.warehouseId), demand: subjectKey(orgId, command.orderId) };
    case 'expire-holds':
      return { ...NOTHING, orgId, demand: subjectKey(orgId, command.orderId) };
    case 'fill-backorders':
    case 'set-stock-policy':
      return { ...NOTHING, orgId, balances: [balanceKey(orgId, command.warehouseId, command.itemId)], frees: true };
    case 'confirm-pick':
      return { ...NOTHING, orgId, demand: subjectKey(orgId, command.orderId), knowsShipments: true };
    case 'ship':
      return {
        ...NOTHING,
        orgId,
        ...placesOf(orgId, command.lines, command.warehouseId),
        demand: subjectKey(orgId, command.orderId),
        shipment: subjectKey(orgId, command.shipmentId),
        posts: 'issues',
      };
    case 'unship':
      return {
        ...NOTHING,
        orgId,
        demand: subjectKey(orgId, command.orderId),
        shipment: subjectKey(orgId, command.shipmentId),
        posts: 'receives',
      };
    case 'receive-return':
      return {
        ...NOTHING,
        orgId,
        ...placesOf(orgId, command.lines, command.warehouseId),
        demand: subjectKey(orgId, command.orderId),
        customerReturn: subjectKey(orgId, command.returnId),
        frees: true,
        posts: 'receives',
        knowsShipments: true,
      };
    case 'inspect-return':
      return {
        ...NOTHING,
        orgId,
        demand: subjectKey(orgId, command.orderId),
        customerReturn: subjectKey(orgId, command.returnId),
        posts: 'issues',
      };
    case 'receive-goods':
      return {
        ...NOTHING,
        orgId,
        ...placesOf(orgId, command.lines, command.warehouseId),
        movement: movementKey(orgId, 'receipt', command.receiptId),
        frees: true,
        posts: 'receives',
        expectedReceipts: command.lines.flatMap((line) => line.expectedReceiptId ?? []).map((id) => subjectKey(orgId, id)),
      };
    case 'adjust-stock': {
      const isLess = command.quantityDelta.startsWith('-');
      return {
        ...NOTHING,
        orgId,
        ...placesOf(orgId, [command], command.warehouseId),
        movement: movementKey(orgId, 'adjustment', command.commandId),
        frees: !isLess,
        shorts: isLess,
        posts: isLess ? 'issues' : 'receives',
      };
    }
    case 'transfer-stock':
      return sending(command);
    case 'receive-transfer':
      return { ...NOTHING, orgId, transfer: subjectKey(orgId, command.transferId), posts: 'receives' };
    case 'correct-cost':
      return { ...NOTHING, orgId, correction: correctionOf(command), posts: 'receives' };
    default:
      return touchesInside(command);
  }
}

function correctionOf({ orgId, commandId, receiptId, lines }: CorrectCost): ReceiptTouches {
  const receipt = subjectKey(orgId, receiptId);
  const goods = [...new Set(lines.map(({ itemId }) => `${receipt}/${itemId}`))];
  return { receipt, goods, command: subjectKey(orgId, commandId) };
}

type InsideCommand =
  | Extract<StockCommand, { kind: 'move-stock' | 'change-quality' | 'scrap-stock' | 'recall-lot' | 'expire-lot' | 'count-stock' }>
  | FoundCommand;

/** The same, of commands about goods inside a warehouse. */
function touchesInside(command: InsideCommand): Touches {
  const { orgId } = command;
  switch (command.kind) {
    case 'move-stock':
      return {
        ...NOTHING,
        orgId,
        ...binsOf(command, command.from, command.to),
        movement: movementKey(orgId, 'bin_move', command.commandId),
      };
    case 'change-quality':
      return {
        ...NOTHING,
        orgId,
        ...binsOf(command, command.location),
        movement: movementKey(orgId, 'quality_change', command.commandId),
        frees: command.to === 'available',
        shorts: command.from === 'available',
      };
    case 'scrap-stock':
      return {
        ...NOTHING,
        orgId,
        ...binsOf(command, command.location),
        movement: movementKey(orgId, 'scrap', command.commandId),
        shorts: command.quality === 'available',
        posts: 'issues',
      };
    case 'recall-lot':
      return {
        ...NOTHING,
        orgId,
        movement: movementKey(orgId, 'quality_change', command.commandId),
        wholeLot: lotNameKey(orgId, command.itemId, command.lot),
        shorts: true,
      };
    case 'expire-lot': {
      const key = balanceKey(orgId, command.warehouseId, command.itemId);
      const lots = [`${key}/${command.lot}`];
      return { ...NOTHING, orgId, balances: [key], lots, lotHolds: lots, shorts: true };
    }
    case 'count-stock':
      return {
        ...NOTHING,
        orgId,
        ...countedPlaces(command),
        movement: movementKey(orgId, 'count', command.commandId),
        wholeWarehouse: command.mode === 'full' ? `${orgId}/${command.warehouseId}` : null,
        postedSince: command.countedAt ?? null,
        knowsDiscrepancies: true,
        frees: true,
        shorts: true,
        posts: 'issues',
      };
    default:
      return touchesOfFound(command);
  }
}

/** A place, and bins beside it. Its lot is read whole, because what lies there counts. */
function binsOf(
  { orgId, warehouseId, itemId, lot = NO_LOT }: { orgId: string; warehouseId: string; itemId: string; lot?: string | undefined },
  ...bins: readonly (string | undefined)[]
) {
  const key = balanceKey(orgId, warehouseId, itemId);
  const named = bins.filter((bin) => bin !== undefined && bin !== DEFAULT_LOCATION);
  return { balances: [key], lots: [`${key}/${lot}`], locations: named.map((bin) => `${orgId}/${warehouseId}/${bin}`) };
}

function countedPlaces({ orgId, warehouseId, lines }: CountStock) {
  const places = lines.map((line) => binsOf({ orgId, warehouseId, ...line }, line.location));
  return {
    balances: places.flatMap((place) => place.balances),
    lots: places.flatMap((place) => place.lots),
    locations: places.flatMap((place) => place.locations),
  };
}

/** The same, of commands about discrepancies. */
function touchesOfFound(command: FoundCommand): Touches {
  const { orgId } = command;
  if (command.kind === 'note-below-zero') {
    return { ...NOTHING, orgId, balances: [balanceKey(orgId, command.warehouseId, command.itemId)], findings: [belowZeroKey(command)] };
  }
  if (command.kind === 'record-findings') {
    const { findings } = command;
    const placed = findings.flatMap(({ warehouseId, itemId }) => (warehouseId === null ? [] : [balanceKey(orgId, warehouseId, itemId)]));
    return { ...NOTHING, orgId, balances: placed, findings: findings.map(({ findingKey }) => findingKey) };
  }
  if (command.kind === 'carry-out-approval') {
    const { work } = command;
    return {
      ...(work.kind === 'run-override' ? overriding(work) : touches(work)),
      approvals: [subjectKey(orgId, command.approvalRequestId)],
    };
  }
  const discrepancies = [subjectKey(orgId, command.discrepancyId)];
  if (command.kind === 'report-discrepancy') return { ...NOTHING, orgId, ...binsOf(command, command.location), discrepancies };
  if (command.place === null) return { ...NOTHING, orgId, discrepancies };
  const { lot, ...at } = command.place;
  const place = binsOf({ orgId, ...at, lot: lot ?? NO_LOT });
  if (command.kind !== 'close-discrepancy') return { ...NOTHING, orgId, balances: place.balances, discrepancies };
  return { ...NOTHING, orgId, ...place, discrepancies, frees: true, ...(command.adjust ? { shorts: true, posts: 'issues' } : {}) };
}

/** What the movement touches, and where something is missing. */
function overriding({ orgId, shortfalls, command }: RunOverride): Touches {
  const touched = touches(command);
  const short = shortfalls.map(({ warehouseId, itemId }) => balanceKey(orgId, warehouseId, itemId));
  return {
    ...touched,
    balances: [...touched.balances, ...short],
    discrepancies: shortfalls.map(({ discrepancyId }) => subjectKey(orgId, discrepancyId)),
    frees: true,
  };
}

function sending(command: Extract<StockCommand, { kind: 'transfer-stock' }>): Touches {
  const { orgId, lines } = command;
  const from = placesOf(orgId, lines, command.fromWarehouseId);
  const to = placesOf(orgId, lines, command.toWarehouseId);
  return {
    ...NOTHING,
    orgId,
    balances: [...from.balances, ...to.balances],
    lots: [...from.lots, ...to.lots],
    transfer: subjectKey(orgId, command.transferId),
    frees: true,
    posts: 'issues',
  };
}

/** A line that says where in the warehouse it is about. */
interface PlacedLine {
  readonly itemId: string;
  readonly warehouseId?: string | undefined;
  readonly lot?: string | undefined;
  readonly lots?: readonly { readonly lot: string; readonly location?: string | undefined }[] | undefined;
  readonly location?: string | undefined;
}

const isAnywhere = ({ lot, lots, location }: PlacedLine) => lot === undefined && lots === undefined && location === undefined;

function placesOf(orgId: string, lines: readonly PlacedLine[], warehouseId: string | undefined) {
  const balances: string[] = [];
  const sourcing: string[] = [];
  const lots: string[] = [];
  const sourcingLots: string[] = [];
  const locations: string[] = [];
  for (const line of lines) {
    const named = line.warehouseId ?? warehouseId;
    const places = () => (line.lots === undefined ? [line] : [line, ...line.lots]);
    if (named === undefined) {
      sourcing.push(`${orgId}/${line.itemId}`);
      for (const { lot } of places()) if (lot !== undefined) sourcingLots.push(lotNameKey(orgId, line.itemId, lot));
      continue;
    }
    const key = balanceKey(orgId, named, line.itemId);
    balances.push(key);
    if (isAnywhere(line)) continue;
    for (const { lot, location } of places()) {
      if (lot !== undefined) lots.push(`${key}/${lot}`);
      if (location === undefined || location === DEFAULT_LOCATION) continue;
      locations.push(`${orgId}/${named}/${location}`);
      lots.push(`${key}/${lot ?? NO_LOT}`);
    }
  }
  return { balances, sourcing, lots, sourcingLots, locations };
}
