import { Controller } from '@nestjs/common';
import {
  type ExpectedReceipt,
  ExpectedReceiptCancel,
  ExpectedReceiptCreate,
  ExpectedReceiptGet,
  ExpectedReceiptList,
  ExpectedReceiptUpdate,
  type Page,
} from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database, type TransactionOptions, type Tx } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { changeExpectedReceipt } from './change-expected-receipt.js';
import { expectReceipt } from './expect-receipt.js';
import { cancelledExpectation, changedExpectation } from './expected-receipt.js';
import { getExpectedReceipt, listExpectedReceipts } from './expected-receipt.queries.js';

const read: TransactionOptions = { readOnly: true };

/** Each change recognises its own repeat, so it is done again when it is not known whether it was stored. */
const change = ({ dryRun = false }: { readonly dryRun?: boolean }): TransactionOptions => ({ readOnly: dryRun, repeatable: true });

/** The calls about goods that are to come. What has come is told by receipts that name them. */
@Controller()
export class ExpectedReceiptsController {
  constructor(private readonly database: Database) {}

  @OnCall(ExpectedReceiptCreate)
  create(
    { orgId, expectedReceiptId = uuidv7(), ...request }: Asked<typeof ExpectedReceiptCreate>,
    { actor }: MessageContext,
  ): Promise<ExpectedReceipt> {
    const work = (tx: Tx) => expectReceipt(tx, orgId, { ...request, expectedReceiptId }, actor.userId);
    return this.database.transaction([orgId], work, change(request));
  }

  @OnCall(ExpectedReceiptList)
  list({ orgId, ...request }: Asked<typeof ExpectedReceiptList>, { actor }: MessageContext): Promise<Page<ExpectedReceipt>> {
    return this.database.transaction([orgId], (tx) => listExpectedReceipts(tx, orgId, actor.warehouses, request), read);
  }

  @OnCall(ExpectedReceiptGet)
  get({ orgId, expectedReceiptId }: Asked<typeof ExpectedReceiptGet>, { actor }: MessageContext): Promise<ExpectedReceipt> {
    return this.database.transaction([orgId], (tx) => getExpectedReceipt(tx, orgId, actor.warehouses, expectedReceiptId), read);
  }

  @OnCall(ExpectedReceiptUpdate)
  update({ orgId, ...request }: Asked<typeof ExpectedReceiptUpdate>, { actor }: MessageContext): Promise<ExpectedReceipt> {
    return this.database.transaction(
      [orgId],
      (tx) => changeExpectedReceipt(tx, actor, request, (current) => changedExpectation(current, request)),
      change(request),
    );
  }

  @OnCall(ExpectedReceiptCancel)
  cancel({ orgId, ...request }: Asked<typeof ExpectedReceiptCancel>, { actor }: MessageContext): Promise<ExpectedReceipt> {
    return this.database.transaction([orgId], (tx) => changeExpectedReceipt(tx, actor, request, cancelledExpectation), change(request));
  }
}
