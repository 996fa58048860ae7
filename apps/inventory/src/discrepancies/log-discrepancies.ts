import { Logger } from '@nestjs/common';
import { formatQuantity, type Quantity } from '#libs/domain';
import type { Balance } from '../stock-machine/balance.js';
import { type Discrepancy, discrepancyView } from './discrepancy.js';

const logger = new Logger('Discrepancies');

/** One line for each discrepancy that was opened, once it is committed: for whoever watches the logs. */
export function logOpened(opened: readonly Discrepancy[]): void {
  for (const discrepancy of opened) {
    const { discrepancyId, itemId, warehouseId, snapshotQuantity, ledgerQuantity, difference, severity, source } =
      discrepancyView(discrepancy);
    const what = {
      orgId: discrepancy.orgId,
      discrepancyId,
      itemId,
      warehouseId,
      snapshotQuantity,
      ledgerQuantity,
      difference,
      severity,
      source,
    };
    logger.log({ msg: 'Discrepancy created', ...what });
  }
}

/** What an order came to hold although it is in doubt, because the organisation only watches (`monitor`). */
export interface HeldInDoubt {
  readonly orderId: string;
  readonly balance: Pick<Balance, 'orgId' | 'warehouseId' | 'itemId' | 'doubtedBy'>;
  readonly quantity: Quantity;
}

/** One line for each, once it is committed. */
export function logHeldInDoubt(held: readonly HeldInDoubt[]): void {
  for (const { orderId, balance, quantity } of held) {
    const { orgId, warehouseId, itemId, doubtedBy } = balance;
    const what = { orgId, orderId, itemId, warehouseId, quantity: formatQuantity(quantity), discrepancyIds: doubtedBy };
    logger.warn({ msg: 'Stock in doubt was held', ...what });
  }
}
