import { Injectable } from '@nestjs/common';
import type { Actor } from '#libs/auth';
import {
  Cursor,
  type Page,
  PAGE_LIMIT_DEFAULT,
  type ReconciliationRun,
  type RequestOf,
  type RunGet,
  type RunList,
  type RunSummary,
} from '#libs/contracts';
import { Database } from '#libs/persistence';
import { FINDING_COLUMNS, findRun, type FindingRow, RUN_COLUMNS, type RunRow } from './run.sql.js';
import { findingView, runNotFound, runSummary, runView } from './run-view.js';

// Ids of runs and findings are made in the order of time.
const cursor = new Cursor('uuid');

/** Runs for screens. */
@Injectable()
export class RunQueries {
  constructor(private readonly database: Database) {}

  /** Newest first. */
  async list(orgId: string, query: RequestOf<typeof RunList>): Promise<Page<RunSummary>> {
    const [before = null] = cursor.read(query.cursor);
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const rows = await this.database.transaction(
      [orgId],
      (tx) =>
        tx.rows<RunRow>(
          `select ${RUN_COLUMNS} from run where org_id = $1 and ($2::uuid is null or run_id < $2) and ($3::text is null or status = $3)
            order by run_id desc limit $4`,
          [orgId, before, query.status ?? null, limit + 1],
        ),
      { readOnly: true },
    );
    return cursor.page(rows, limit, (row) => [row.runId], runSummary);
  }

  /**
   * A run with a page of its findings: of those about warehouses, the ones in which the reader works.
   *
   * @throws {HoldfastError} 404 `RUN_NOT_FOUND`.
   */
  async get({ orgId, warehouses }: Actor, { runId, ...query }: RequestOf<typeof RunGet>): Promise<ReconciliationRun> {
    const [after = null] = cursor.read(query.cursor);
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    return await this.database.transaction(
      [orgId],
      async (tx) => {
        const run = await findRun(tx, orgId, runId);
        if (run === undefined) throw runNotFound(runId);
        const rows = await tx.rows<FindingRow>(
          `select ${FINDING_COLUMNS} from finding
            where org_id = $1 and run_id = $2 and ($3::uuid is null or finding_id > $3)
              and ($4::text[] is null or warehouse_id is null or warehouse_id = any($4))
            order by finding_id limit $5`,
          [orgId, runId, after, warehouses, limit + 1],
        );
        const { nextCursor } = cursor.page(rows, limit, (row) => [row.findingId], findingView);
        return runView(run, rows.slice(0, limit), nextCursor);
      },
      { readOnly: true },
    );
  }
}
