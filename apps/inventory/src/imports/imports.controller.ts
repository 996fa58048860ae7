import { Controller } from '@nestjs/common';
import {
  type Import,
  ImportCancel,
  ImportGet,
  ImportList,
  ImportReceive,
  type ImportSummary,
  type Page,
  type ResponseOf,
} from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { cancelImport } from './cancel-import.js';
import { ImportWork } from './import-work.js';
import { getImport, listImports } from './import.queries.js';
import { receivePart } from './receive-part.js';

/** The calls about imports. */
@Controller()
export class ImportsController {
  constructor(
    private readonly database: Database,
    private readonly work: ImportWork,
  ) {}

  @OnCall(ImportReceive)
  async receive({ orgId, ...request }: Asked<typeof ImportReceive>, { actor }: MessageContext): Promise<ResponseOf<typeof ImportReceive>> {
    const answer = await this.database.transaction([orgId], (tx) => receivePart(tx, orgId, actor, request), { repeatable: true });
    if (request.last) this.work.lookAtOnce();
    return answer;
  }

  @OnCall(ImportCancel)
  cancel({ orgId, importId }: Asked<typeof ImportCancel>, { actor }: MessageContext): Promise<Import> {
    return this.database.transaction([orgId], (tx) => cancelImport(tx, orgId, actor, importId), { repeatable: true });
  }

  @OnCall(ImportGet)
  get({ orgId, importId }: Asked<typeof ImportGet>, { actor }: MessageContext): Promise<Import> {
    return this.database.transaction([orgId], (tx) => getImport(tx, orgId, actor, importId), { readOnly: true });
  }

  @OnCall(ImportList)
  list({ orgId, ...request }: Asked<typeof ImportList>, { actor }: MessageContext): Promise<Page<ImportSummary>> {
    return this.database.transaction([orgId], (tx) => listImports(tx, orgId, actor, request), { readOnly: true });
  }
}
