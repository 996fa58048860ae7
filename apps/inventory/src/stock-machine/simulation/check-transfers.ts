import type { EventDefinition, EventOf, TransferShortage } from '#libs/contracts';
import { type Money, parseMoney, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import type { Transfer } from '../../transfers/transfer.js';
import { underWay } from '../../transfers/transfer-view.js';
import { NO_LOT } from '../quants.js';
import { type Balance, balanceKey } from '../balance.js';
import type { LedgerLine } from '../movement.js';
import { ensure, readable } from './check-rows.js';
import type { MemoryStock } from './memory-stock.js';

interface Moved {
  readonly quantity: Quantity;
  readonly value: Money;
}

const NOTHING: Moved = { quantity: ZERO, value: ZERO };

/**
 * I2 and I8 of what is between warehouses: whatever left by a transfer came in by it, is under way, or was told to be missing, to the last
 * fraction of its value. Added up from the ledger and the events, independently of the transfers.
 */
export class TransferSums {
  private readonly left = new Map<string, Moved>();
  private readonly cameIn = new Map<string, Moved>();
  private readonly missing = new Map<string, Moved>();

  addEntry({ orgId, itemId, lot, quantityDelta, valueDelta, movement: { movementType, refType, refId } }: LedgerLine): void {
    if (refType !== 'transfer' || movementType === 'cost_correction') return;
    const key = lineKey(orgId, refId!, itemId, lot);
    if (quantityDelta < ZERO) add(this.left, key, { quantity: -quantityDelta, value: -(valueDelta ?? ZERO) });
    else add(this.cameIn, key, { quantity: quantityDelta, value: valueDelta ?? ZERO });
  }

  addEvent(event: EventOf<EventDefinition>): void {
    if (event.type !== 'TransferShortage') return;
    const { transferId, itemId, lot, missing, value } = (event as EventOf<typeof TransferShortage>).data;
    const key = lineKey(event.orgid, transferId, itemId, lot ?? NO_LOT);
    add(this.missing, key, { quantity: parseQuantity(missing), value: parseMoney(value) });
  }

  check({ orgId, transferId, lines, status }: Transfer): void {
    const keys = new Set(lines.map((line) => lineKey(orgId, transferId, line.itemId, line.lot)));
    for (const key of [...this.left.keys(), ...this.cameIn.keys(), ...this.missing.keys()]) {
      const isOther = !key.startsWith(`${orgId}/${transferId}/`) || keys.has(key);
      ensure(isOther, () => `I2: ${key} was moved, and is not in its transfer`);
    }
    for (const line of lines) {
      const key = lineKey(orgId, transferId, line.itemId, line.lot);
      const [left, cameIn, missing] = [this.left, this.cameIn, this.missing].map((sums) => sums.get(key) ?? NOTHING) as [
        Moved,
        Moved,
        Moved,
      ];
      const say = (text: string) => () => `${text}: ${key} is ${JSON.stringify(line, readable)}`;
      ensure(line.quantity === left.quantity, say(`I2: ${left.quantity} left`));
      ensure(line.received === cameIn.quantity, say(`I2: ${cameIn.quantity} came in`));
      ensure(line.missing === missing.quantity, say(`I2: ${missing.quantity} were told to be missing`));
      const costs = { quantity: sumQuantities(line.cost, (part) => part.quantity), value: sumQuantities(line.cost, (part) => part.value) };
      ensure(underWay(line) >= ZERO && costs.quantity === underWay(line), say(`I2: the cost of ${costs.quantity} is under way`));
      ensure(left.value === cameIn.value + missing.value + costs.value, say(`I8: ${left.value} left, ${cameIn.value} came in`));
    }
    const isCompleted = lines.every((line) => underWay(line) === ZERO);
    ensure(isCompleted === (status === 'completed'), () => `${transferId} is ${status}: ${JSON.stringify(lines, readable)}`);
  }
}

/** What a balance says is on its way to it is what transfers have under way to it. */
export function checkInTransit({ orgId, warehouseId, itemId }: Balance, stock: MemoryStock): void {
  const key = balanceKey(orgId, warehouseId, itemId);
  const coming = sumQuantities(
    [...stock.transfers.values()].filter((transfer) => transfer.orgId === orgId && transfer.toWarehouseId === warehouseId),
    ({ lines }) => sumQuantities(lines, (line) => (line.itemId === itemId ? underWay(line) : ZERO)),
  );
  const told = stock.inTransit.get(key) ?? ZERO;
  ensure(told === coming, () => `I2: ${key} says that ${told} are on their way to it, its transfers ${coming}`);
}

function add(sums: Map<string, Moved>, key: string, { quantity, value }: Moved): void {
  const sum = sums.get(key) ?? NOTHING;
  sums.set(key, { quantity: sum.quantity + quantity, value: sum.value + value });
}

const lineKey = (orgId: string, transferId: string, itemId: string, lot: string) => `${orgId}/${transferId}/${itemId}/${lot}`;
