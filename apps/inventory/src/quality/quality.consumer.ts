import { Controller } from '@nestjs/common';
import {
  LotList,
  type LotStock,
  LotRecall,
  type Page,
  type QualityChangeAnswer,
  QualityChangePost,
  type RecallAnswer,
} from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';
import { listLots } from './lot.queries.js';

/** What goods are good for, piece by piece and lot by lot. */
@Controller()
export class QualityConsumer {
  constructor(
    private readonly batcher: Batcher,
    private readonly database: Database,
  ) {}

  @OnCall(QualityChangePost)
  change({ dryRun, commandId, ...data }: Asked<typeof QualityChangePost>, context: MessageContext): Promise<QualityChangeAnswer> {
    const meta = metaOfCall(context);
    return this.batcher.answer({ kind: 'change-quality', ...data, commandId: commandId ?? context.messageId, meta }, dryRun);
  }

  @OnCall(LotList)
  lots({ orgId, ...request }: Asked<typeof LotList>, { actor }: MessageContext): Promise<Page<LotStock>> {
    return this.database.transaction([orgId], (tx) => listLots(tx, orgId, actor.warehouses, request), { readOnly: true });
  }

  @OnCall(LotRecall)
  recall({ dryRun, commandId, ...data }: Asked<typeof LotRecall>, context: MessageContext): Promise<RecallAnswer> {
    const meta = metaOfCall(context);
    return this.batcher.answer({ kind: 'recall-lot', ...data, commandId: commandId ?? context.messageId, meta }, dryRun);
  }
}
