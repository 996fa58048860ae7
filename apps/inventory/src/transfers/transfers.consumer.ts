import { Controller } from '@nestjs/common';
import { authoriseWarehouses } from '#libs/auth';
import { type Page, type Transfer, TransferCreate, TransferGet, TransferList, TransferReceive } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database, type TransactionOptions } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';
import { getTransfer, listTransfers } from './transfer.queries.js';

const read: TransactionOptions = { readOnly: true };

/** Goods that go from one warehouse to another. Nothing is decided here. */
@Controller()
export class TransfersConsumer {
  constructor(
    private readonly batcher: Batcher,
    private readonly database: Database,
  ) {}

  @OnCall(TransferCreate)
  create(
    { dryRun, transferId = uuidv7(), mode = 'immediate', ...data }: Asked<typeof TransferCreate>,
    context: MessageContext,
  ): Promise<Transfer> {
    return this.batcher.answer({ kind: 'transfer-stock', ...data, transferId, mode, meta: metaOfCall(context) }, dryRun);
  }

  /** Who works in the warehouse where it arrives says what arrived. */
  @OnCall(TransferReceive)
  async receive({ dryRun, commandId, ...data }: Asked<typeof TransferReceive>, context: MessageContext): Promise<Transfer> {
    const { orgId, transferId } = data;
    const { toWarehouseId } = await this.database.transaction(
      [orgId],
      (tx) => getTransfer(tx, orgId, context.actor.warehouses, transferId),
      read,
    );
    authoriseWarehouses(context.actor, [toWarehouseId]);
    return this.batcher.answer(
      { kind: 'receive-transfer', ...data, commandId: commandId ?? context.messageId, meta: metaOfCall(context) },
      dryRun,
    );
  }

  @OnCall(TransferList)
  list({ orgId, ...request }: Asked<typeof TransferList>, { actor }: MessageContext): Promise<Page<Transfer>> {
    return this.database.transaction([orgId], (tx) => listTransfers(tx, orgId, actor.warehouses, request), read);
  }

  @OnCall(TransferGet)
  get({ orgId, transferId }: Asked<typeof TransferGet>, { actor }: MessageContext): Promise<Transfer> {
    return this.database.transaction([orgId], (tx) => getTransfer(tx, orgId, actor.warehouses, transferId), read);
  }
}
