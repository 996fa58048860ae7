import type { StockCommand } from './commands.js';
import { balanceKey, movementKey, subjectKey } from './stock-state.js';

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
  readonly movement: string | null;
  /** The named balances that it may free stock on, so that who waits there must be read. */
  readonly frees: boolean;
  /** The named balances that it may take held stock from. */
  readonly shorts: boolean;
}

const NOTHING: Omit<Touches, 'orgId'> = {
  balances: [],
  sourcing: [],
  demand: null,
  shipment: null,
  customerReturn: null,
  movement: null,
  frees: false,
  shorts: false,
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
      return { ...NOTHING, orgId, balances: [balanceKey(orgId, command.warehouseId, command.itemId)], frees: true };
    case 'ship':
      return {
        ...NOTHING,
        orgId,
        ...placesOf(orgId, command.lines, command.warehouseId),
        demand: subjectKey(orgId, command.orderId),
        shipment: subjectKey(orgId, command.shipmentId),
      };
    case 'unship':
      return { ...NOTHING, orgId, demand: subjectKey(orgId, command.orderId), shipment: subjectKey(orgId, command.shipmentId) };
    case 'receive-return':
      return {
        ...NOTHING,
        orgId,
        ...placesOf(orgId, command.lines, command.warehouseId),
        demand: subjectKey(orgId, command.orderId),
        customerReturn: subjectKey(orgId, command.returnId),
        frees: true,
      };
    case 'inspect-return':
      return { ...NOTHING, orgId, demand: subjectKey(orgId, command.orderId), customerReturn: subjectKey(orgId, command.returnId) };
    case 'receive-goods':
      return {
        ...NOTHING,
        orgId,
        ...placesOf(orgId, command.lines, command.warehouseId),
        movement: movementKey(orgId, 'receipt', command.receiptId),
        frees: true,
      };
    case 'adjust-stock': {
      const isLess = command.quantityDelta.startsWith('-');
      return {
        ...NOTHING,
        orgId,
        balances: [balanceKey(orgId, command.warehouseId, command.itemId)],
        movement: movementKey(orgId, 'adjustment', command.commandId),
        frees: !isLess,
        shorts: isLess,
      };
    }
    case 'set-stock-policy':
      return { ...NOTHING, orgId, balances: [balanceKey(orgId, command.warehouseId, command.itemId)], frees: true };
  }
}

function placesOf(orgId: string, lines: readonly { itemId: string; warehouseId?: string }[], warehouseId: string | undefined) {
  const balances: string[] = [];
  const sourcing: string[] = [];
  for (const line of lines) {
    const named = line.warehouseId ?? warehouseId;
    if (named === undefined) sourcing.push(`${orgId}/${line.itemId}`);
    else balances.push(balanceKey(orgId, named, line.itemId));
  }
  return { balances, sourcing };
}
