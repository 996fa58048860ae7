import { formatQuantity, ZERO } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { columnsOf } from '../stock-machine/columns-of.js';
import { transferLinesToJson } from '../stock-machine/stock-json.js';
import type { StockState } from '../stock-machine/stock-state.js';
import type { Transfer } from './transfer.js';
import { insertTransfers, sendPieces, updateInTransit, updateTransfers } from './transfer.sql.js';

/** Writes what a batch changed of transfers, of what is on its way, and of the pieces that are under way. */
export function writeTransfers(tx: Tx, state: StockState): void {
  const keyColumns = [(t: Transfer) => t.orgId, (t: Transfer) => t.transferId] as const;
  const lines = (t: Transfer) => transferLinesToJson(t.lines);
  const arrivals = (t: Transfer) => JSON.stringify(t.arrivals);
  const added = [...state.newTransfers];
  if (added.length > 0) {
    void tx.run(
      insertTransfers,
      columnsOf(
        added,
        ...keyColumns,
        (t) => t.fromWarehouseId,
        (t) => t.toWarehouseId,
        (t) => t.mode,
        (t) => t.status,
        lines,
        arrivals,
        (t) => t.fingerprint,
        (t) => t.dispatchedAt,
        (t) => t.dispatchedBy,
        (t) => t.completedAt,
      ),
    );
  }
  // One that was sent and received in one batch is written whole already.
  const changed = [...state.changedTransfers].filter((transfer) => !state.newTransfers.has(transfer));
  if (changed.length > 0) {
    void tx.run(
      updateTransfers,
      columnsOf(
        changed,
        ...keyColumns,
        (t) => t.status,
        lines,
        arrivals,
        (t) => t.completedAt,
      ),
    );
  }
  const inTransit = [...state.inTransit].filter(([, quantity]) => quantity !== ZERO);
  if (inTransit.length > 0) {
    void tx.run(
      updateInTransit,
      columnsOf(
        inTransit,
        ([balance]) => balance.orgId,
        ([balance]) => balance.warehouseId,
        ([balance]) => balance.itemId,
        ([, quantity]) => formatQuantity(quantity),
      ),
    );
  }
  const pieces = [...state.sentPieces];
  if (pieces.length > 0) {
    const part =
      (index: number) =>
      ([key]: (typeof pieces)[number]) =>
        key.split('/')[index]!;
    void tx.run(
      sendPieces,
      columnsOf(pieces, part(0), part(1), part(2), ([, transferId]) => transferId),
    );
  }
}
