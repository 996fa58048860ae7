import { setTimeout as delay } from 'node:timers/promises';
import { Body, Controller, Get, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  type Import,
  IMPORT_PART_BYTES,
  ImportCancel,
  ImportGet,
  type ImportKind,
  ImportList,
  ImportReceive,
  type ImportSummary,
  type Page,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { HoldfastError, invalid, notFound } from '#libs/domain';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { TakesCsv, Upload } from '../http/upload.js';
import { keyReused } from '../idempotency/idempotency-records.js';
import { isUuid } from '../http/values.js';
import { DescribesCsv } from './describes-csv.js';
import { ImportsQuery } from './import.dto.js';
import { aCancelledImport, aFailedImport, anImportSummary, anUnfinishedImport, aTakenImport } from './import.examples.js';

type Taken = ResponseOf<typeof ImportReceive>;
type Part = RequestOf<typeof ImportReceive>;

const taken = { status: 202, makes: 'importId', answers: aTakenImport };
/** A part that inventory did not answer is sent again: a long file should not fail because a process was replaced meanwhile. */
const TRIES = 3;
const PAUSE_MS = 500;

@ApiTags('Imports')
@Controller('imports')
export class ImportsController {
  constructor(private readonly services: Services) {}

  @Post('items')
  @TakesCsv()
  @DescribesCsv('items')
  @Calls(ImportReceive, taken)
  items(@ByCaller() caller: Caller, @Body() file: unknown): Promise<Taken> {
    return this.#receive('items', caller, file);
  }

  @Post('lots')
  @TakesCsv()
  @DescribesCsv('lots')
  @Calls(ImportReceive, taken)
  lots(@ByCaller() caller: Caller, @Body() file: unknown): Promise<Taken> {
    return this.#receive('lots', caller, file);
  }

  @Post('stock')
  @TakesCsv()
  @DescribesCsv('stock')
  @Calls(ImportReceive, taken)
  stock(@ByCaller() caller: Caller, @Body() file: unknown): Promise<Taken> {
    return this.#receive('stock', caller, file);
  }

  @Get()
  @Calls(ImportList, { answers: pageOf(anImportSummary) })
  list(@ByCaller() caller: Caller, @Query() query: ImportsQuery): Promise<Page<ImportSummary>> {
    return this.services.call(ImportList, caller, query);
  }

  @Get(':importId')
  @Calls(ImportGet, { answers: anUnfinishedImport, also: [aFailedImport] })
  get(@ByCaller() caller: Caller, @Param('importId') importId: string): Promise<Import> {
    return this.services.call(ImportGet, caller, { importId: known(importId) });
  }

  @Put(':importId/cancel')
  @Calls(ImportCancel, { answers: aCancelledImport })
  cancel(@ByCaller() caller: Caller, @Param('importId') importId: string): Promise<Import> {
    return this.services.call(ImportCancel, caller, { importId: known(importId) });
  }

  /** Hands a file on as it comes, one part after the other. */
  async #receive(kind: ImportKind, caller: Caller, file: unknown): Promise<Taken> {
    if (!(file instanceof Upload)) throw invalid('The body is missing: send the file.');
    const importId = caller.madeId;
    let part = 0;
    try {
      for await (const { bytes, last } of file.parts(IMPORT_PART_BYTES)) {
        part++;
        const answer = await this.#send(caller, { importId, kind, part, data: bytes.toString('base64'), last });
        if (last) return answer;
      }
    } catch (error) {
      // The sender is to blame, and will not send the rest. When we are, it may repeat the request.
      const isOver = error instanceof HoldfastError && error.kind === 'invalid' && part > 0;
      if (isOver) await this.services.call(ImportCancel, caller, { importId }).catch(() => {});
      // What came before under the same Idempotency-Key was another file.
      throw error instanceof HoldfastError && error.code === 'ALREADY_EXISTS' ? keyReused() : error;
    }
    throw new Error('A file has a last part.');
  }

  async #send(caller: Caller, request: Part): Promise<Taken> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.services.call(ImportReceive, caller, request);
      } catch (error) {
        if (!(error instanceof HoldfastError) || error.kind !== 'unavailable' || attempt === TRIES) throw error;
        await delay(PAUSE_MS);
      }
    }
  }
}

function known(importId: string): string {
  if (isUuid(importId)) return importId;
  throw notFound('IMPORT_NOT_FOUND', `There is no import ${importId}.`);
}
