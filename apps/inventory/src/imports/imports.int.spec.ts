import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  IMPORT_PART_BYTES,
  type Import,
  ImportCancel,
  ImportGet,
  type ImportKind,
  ImportList,
  ImportReceive,
  ItemCreate,
  ItemGet,
  ItemUpdate,
  LedgerList,
  LocationCreate,
  ReceiptPost,
  StockList,
  WarehouseCreate,
} from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import type { Actor } from '#libs/auth';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

describe('imports', () => {
  let service: TestService;
  beforeAll(async () => (service = await startTestService(inventory)));
  afterAll(() => service.stop());

  interface Sent {
    readonly dryRun?: boolean;
    readonly actor?: Partial<Actor>;
    readonly partBytes?: number;
    readonly importId?: string;
  }

  async function send(orgId: string, kind: ImportKind, file: string | Buffer, sent: Sent = {}): Promise<string> {
    const { importId = uuidv7(), partBytes = IMPORT_PART_BYTES, dryRun, actor } = sent;
    const bytes = Buffer.from(file);
    for (let part = 1, at = 0; ; part++, at += partBytes) {
      const last = at + partBytes >= bytes.length;
      const data = bytes.subarray(at, at + partBytes).toString('base64');
      await service.call(ImportReceive, { orgId, importId, kind, part, data, last, ...(dryRun ? { dryRun } : {}) }, actor);
      if (last) return importId;
    }
  }

  async function ended(orgId: string, importId: string): Promise<Import> {
    for (;;) {
      const state = await service.call(ImportGet, { orgId, importId });
      if (state.finishedAt !== null) return state;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const run = async (orgId: string, kind: ImportKind, file: string | Buffer, sent?: Sent) =>
    await ended(orgId, await send(orgId, kind, file, sent));
  const failure = (code: string): unknown => expect.objectContaining({ code });
  const items = async (orgId: string) =>
    (await service.database.rows<{ item_id: string }>('select item_id from inventory.item where org_id = $1 order by 1', [orgId])).map(
      (row) => row.item_id,
    );
  const table = (header: string, ...lines: string[]) => [header, ...lines, ''].join('\n');

  it('creates items as POST /items does', async () => {
    const file = table(
      'itemId,name,unit,costing,unitPrice,currency,reorderPoint,safetyStock,minRemainingShelfLifeDays,substitutes',
      'bare,Bare,,,,,,,,',
      'full,"Full, of ""all""",box,lifo,9.50,USD,20.000,5,30,bare; other ;',
    );
    const ended = await run('create', 'items', file);
    expect(ended).toEqual({
      importId: expect.any(String),
      kind: 'items',
      status: 'completed',
      dryRun: false,
      progress: { done: 2, total: 2 },
      skipped: 0,
      errorCount: 0,
      errors: [],
      createdBy: 'tester',
      createdAt: expect.any(String),
      finishedAt: expect.any(String),
    });
    const { items: stored } = await service.call(ItemGet, { orgId: 'create', itemIds: ['bare', 'full'] });
    expect(stored[1]).toMatchObject({
      name: 'Full, of "all"',
      unit: 'box',
      costing: 'lifo',
      unitPrice: '9.5',
      currency: 'USD',
      reorderPoint: '20',
      safetyStock: '5',
      minRemainingShelfLifeDays: 30,
      substitutes: ['bare', 'other'],
    });
    // Said again one by one, they are repeats.
    const twin = { ...stored[1]!, reorderPoint: '20', safetyStock: '5', unitPrice: '9.5', currency: 'USD' };
    const { createdAt: _, ...body } = twin;
    expect(await service.call(ItemCreate, { orgId: 'create', ...body, substitutes: [...body.substitutes] })).toEqual(stored[1]);
    expect(await service.call(ItemCreate, { orgId: 'create', itemId: 'bare', name: 'Bare' })).toEqual(stored[0]);
  });

  it('tells every error by line and column, and applies nothing', async () => {
    await service.call(ItemCreate, { orgId: 'wrong', itemId: 'taken', name: 'Taken', unitPrice: '1' });
    const file = table(
      'itemId,name,unitPrice,tracking,substitutes',
      'good,Good,1,,',
      'bad id,,1.23456,box,',
      '"two\nlines",x,"1,5",,a b',
      'taken,Other,2,,',
      'taken,Taken,1,,',
      'good,Again,1,,good',
      'good,x',
      'cents,Cents,1.234,,',
    );
    const ended = await run('wrong', 'items', file);
    expect(ended).toMatchObject({ status: 'failed', progress: { done: 0, total: 8 }, errorCount: ended.errors.length });
    expect(ended.errors.map(({ line, column, message }) => `${line} ${column ?? '-'}: ${message}`)).toEqual([
      '3 itemId: must be an id: 1 to 64 of A-Z a-z 0-9 . _ : -, not "bad id".',
      '3 name: is missing.',
      '3 unitPrice: must be a decimal of zero or more, below 10^12 with at most 4 decimals and a decimal point, not "1.23456".',
      '3 tracking: must be one of none, lot, serial, not "box".',
      '4 itemId: must be an id: 1 to 64 of A-Z a-z 0-9 . _ : -, not "two\\nlines".',
      '5 unitPrice: must be a decimal of zero or more, below 10^12 with at most 4 decimals and a decimal point, not "1,5".',
      '5 substitutes: must be up to 50 different ids, separated by semicolons, not "a b".',
      '6 name: Item taken exists, and its name is "Taken", not "Other". Change it with PATCH /items/taken, or leave the line out.',
      '6 unitPrice: Item taken exists, and its unitPrice is "1", not "2". Change it with PATCH /items/taken, or leave the line out.',
      '7 itemId: itemId taken stands in line 6 already.',
      '8 itemId: itemId good stands in line 2 already.',
      '8 substitutes: Item good cannot be a substitute for itself.',
      '9 -: The line has 2 values, the header 5 columns.',
      '10 unitPrice: The price 1.234 has more decimals than EUR has.',
    ]);
    expect(await items('wrong')).toEqual(['taken']);
  });

  it('skips items that exist exactly so', async () => {
    await service.call(ItemCreate, { orgId: 'skip', itemId: 'a', name: 'A' });
    await service.call(ItemCreate, { orgId: 'skip', itemId: 'b', name: 'Before' });
    await service.call(ItemUpdate, { orgId: 'skip', itemId: 'b', name: 'B' });
    const ended = await run('skip', 'items', table('itemId,name', 'a,A', 'b,B', 'c,C'));
    expect(ended).toMatchObject({ status: 'completed', progress: { done: 3, total: 3 }, skipped: 2 });
    expect(await items('skip')).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['nothing', '', [1, null, 'The file is empty.']],
    ['empty lines alone', '\n\r\n', [1, null, 'The file is empty.']],
    ['a header alone', 'itemId,name', [1, null, 'The file has no lines below its header.']],
    ['a column that is missing', 'itemId,unit\na,b', [1, 'name', 'is missing in the header.']],
    ['a column twice', 'itemId,name,name\na,b,c', [1, 'name', 'stands twice in the header.']],
    ['a column without name', 'itemId,name,\na,b,c', [1, null, 'Column 3 has no name.']],
    ['a column written otherwise', 'itemId,Name\na,b', [1, 'Name', 'is not a known column; did you mean name.']],
    ['other separators', 'itemId;name\na;b', [1, 'itemId;name', 'is not a known column; columns are separated by commas.']],
    ['a column of something else', 'itemId,name,colour\na,b,c', [1, 'colour', expect.stringContaining('there are itemId, name, unit')]],
    ['UTF-16', Buffer.from('\ufeffitemId,name\na,b', 'utf16le'), [1, null, 'The file is UTF-16. Save it as "CSV UTF-8".']],
    ['a compressed file', gzipSync('itemId,name\na,b'), [1, null, 'The header is not UTF-8 text. Save the file as "CSV UTF-8".']],
    [
      'Latin-1',
      Buffer.from('itemId,name\na,M\u00fcller\nb,c\n', 'latin1'),
      [2, 'name', 'is not UTF-8 text. Save the file as "CSV UTF-8": "M\ufffdller".'],
    ],
    ['a quote that is not closed', 'itemId,name\na,b\nc,"d\ne,f\n', [3, null, expect.stringContaining('a quote that is not closed')]],
    ['a broken header', 'itemId,"name"x\na,b\n', [1, null, expect.stringContaining('text behind the quote')]],
  ])('refuses %s', async (name, file, [line, column, message]) => {
    const ended = await run('form', 'items', file);
    expect([name, ended.status]).toEqual([name, 'failed']);
    expect(ended.errors).toContainEqual({ line, column, message });
  });

  it('reads a byte order mark, any line ends, and parts that end anywhere', async () => {
    const file = `\ufeffitemId,name\r\na,"Ä\r\nÖ"\r\n\r\nb,😀\nc,"""x"""`;
    for (const partBytes of [1, 3, 1_000]) {
      const orgId = `parts-${partBytes}`;
      expect(await run(orgId, 'items', file, { partBytes })).toMatchObject({ status: 'completed', progress: { done: 3, total: 3 } });
      const { items: stored } = await service.call(ItemGet, { orgId, itemIds: ['a', 'b', 'c'] });
      expect(stored.map((item) => item.name)).toEqual(['Ä\r\nÖ', '😀', '"x"']);
    }
  });

  it('keeps the first 1,000 errors, and counts all', async () => {
    const lines = Array.from({ length: 2_500 }, (_, n) => `i${n},`);
    const ended = await run('many', 'items', table('itemId,name', ...lines));
    expect(ended).toMatchObject({ status: 'failed', errorCount: 2_500 });
    expect(ended.errors.map((error) => error.line)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 2));
  });

  it('changes nothing in a dry run, and tells the same', async () => {
    expect(await run('dry', 'items', table('itemId,name', 'a,A'), { dryRun: true })).toMatchObject({
      status: 'completed',
      dryRun: true,
      progress: { done: 1, total: 1 },
    });
    expect(await run('dry', 'items', table('itemId,name', 'a,'), { dryRun: true })).toMatchObject({ status: 'failed', errorCount: 1 });
    expect(await items('dry')).toEqual([]);
    await run('dry', 'items', table('itemId,name', 'a,A'));
    const again = await run('dry', 'items', table('itemId,name', 'a,A', 'b,B'), { dryRun: true });
    expect(again).toMatchObject({ status: 'completed', progress: { done: 2, total: 2 }, skipped: 1 });
    expect(await items('dry')).toEqual(['a']);
  });

  describe('of stock', () => {
    const HEADER = 'warehouseId,itemId,quantity,unitCost';
    const stockOf = async (orgId: string) =>
      (await service.call(StockList, { orgId })).items.map((row) => `${row.warehouseId}/${row.itemId} ${row.onHand}`);

    async function catalogue(orgId: string, itemIds: readonly string[], warehouseIds: readonly string[] = ['W1', 'W2']) {
      for (const warehouseId of warehouseIds) await service.call(WarehouseCreate, { orgId, warehouseId, name: warehouseId });
      if (itemIds.length === 0) return;
      expect(await run(orgId, 'items', table('itemId,name', ...itemIds.map((id) => `${id},${id}`)))).toMatchObject({ status: 'completed' });
    }

    it('receives what the lines say, in receipts of one warehouse each', async () => {
      const ids = Array.from({ length: 450 }, (_, n) => `i${n}`);
      await catalogue('stock', ids);
      const lines = ids.flatMap((id, n) => [`W1,${id},${n + 1}.5,1.25`, `W2,${id},1,0`]);
      const ended = await run('stock', 'stock', table(HEADER, ...lines));
      expect(ended).toMatchObject({ status: 'completed', progress: { done: 900, total: 900 }, errorCount: 0 });
      const [sum] = await service.database.rows(
        `select count(*)::int as rows, sum(on_hand)::text as "onHand" from inventory.stock_balance where org_id = 'stock'`,
      );
      expect(sum).toEqual({ rows: 900, onHand: '102150.0000' });
      const receipts = await service.database.rows<{ ref_id: string; actor: string; lines: unknown[] }>(
        `select ref_id, actor, lines from inventory.movement where org_id = 'stock'`,
      );
      expect(receipts).toHaveLength(10);
      expect(new Set(receipts.map(({ actor }) => actor))).toEqual(new Set(['tester']));
      for (const { ref_id } of receipts) expect(ref_id).toMatch(new RegExp(`^import:${ended.importId}:\\d+$`));
      const { items: entries } = await service.call(LedgerList, { orgId: 'stock', refType: 'import', refId: ended.importId, limit: 500 });
      expect(entries).toHaveLength(500);
      expect(entries[0]).toMatchObject({ movementType: 'receipt', refType: 'import', refId: ended.importId, actor: 'tester' });
    });

    it('takes the same item at several costs, and not twice at the same', async () => {
      await catalogue('layers', ['a']);
      const twice = await run('layers', 'stock', table(`${HEADER},location`, 'W1,a,1,1,', 'W1,a,2,1.00,default'));
      expect(twice.errors).toEqual([
        { line: 3, column: 'itemId', message: 'itemId a, warehouseId W1, location default, unitCost 1 stands in line 2 already.' },
      ]);
      expect(await run('layers', 'stock', table(HEADER, 'W1,a,1,1', 'W1,a,2,1.50'))).toMatchObject({ status: 'completed' });
      expect(await stockOf('layers')).toEqual(['W1/a 3']);
    });

    it('tells what does not exist, and what has been stocked before', async () => {
      await catalogue('refused', ['a', 'b']);
      await service.call(ReceiptPost, { orgId: 'refused', warehouseId: 'W1', lines: [{ itemId: 'a', quantity: '1', unitCost: '1' }] });
      const ended = await run(
        'refused',
        'stock',
        table(`${HEADER},lot,location`, 'W1,a,1,1,,', 'W9,a,0,1,,', 'W1,x,1,-1,,', 'W2,b,1,1,L,B7', 'W2,a,1,1,,'),
      );
      expect(ended.errors.map(({ line, column, message }) => `${line} ${column}: ${message}`)).toEqual([
        '2 itemId: Item a has been stocked in W1 before; what comes later is received or counted, not imported.',
        '3 warehouseId: Warehouse W9 does not exist; create it first.',
        '3 quantity: must be a decimal above zero, below 10^12 with at most 4 decimals and a decimal point, not "0".',
        '4 itemId: Item x does not exist; create it first.',
        '4 unitCost: must be a decimal of zero or more, below 10^12 with at most 4 decimals and a decimal point, not "-1".',
        '5 lot: Item b is not tracked by lot; leave the lot out.',
        '5 location: Location B7 does not exist in W2; create it first.',
      ]);
      expect(await stockOf('refused')).toEqual(['W1/a 1']);
    });

    it('is for the warehouses in which its sender works', async () => {
      await catalogue('scope', ['a']);
      const actor = { userId: 'keeper', roles: ['inventory_manager' as const], warehouses: ['W1'] };
      const refused = await run('scope', 'stock', table(HEADER, 'W1,a,1,1', 'W2,a,1,1', 'W9,a,1,1'), { actor });
      expect(refused.errors).toEqual([
        { line: 3, column: 'warehouseId', message: 'You may not change stock in warehouse W2.' },
        { line: 4, column: 'warehouseId', message: 'You may not change stock in warehouse W9.' },
      ]);
      expect(await run('scope', 'stock', table(HEADER, 'W1,a,1,1'), { actor })).toMatchObject({ status: 'completed', createdBy: 'keeper' });
    });

    describe('of items that are tracked', () => {
      const TRACKED = `${HEADER},lot,producedAt,expiresAt,location,quality`;

      async function trackedCatalogue(orgId: string) {
        await catalogue(orgId, []);
        await run(orgId, 'items', table('itemId,name,tracking', 'plain,Plain,none', 'milk,Milk,lot', 'phone,Phone,serial'));
        await service.call(LocationCreate, { orgId, warehouseId: 'W1', location: 'B7' });
      }

      it('goes into lots, pieces, bins and qualities', async () => {
        await trackedCatalogue('tracked');
        const file = table(
          TRACKED,
          'W1,plain,5,1,,,,B7,',
          'W1,plain,2,1,,,,,damaged',
          'W1,milk,10,0.5,L1,2026-01-01,2027-01-01,,',
          'W2,milk,4,0.5,L1,,,,',
          'W1,milk,3,0.5,L2,,,B7,quarantined',
          'W1,phone,1,300,S1,,,,',
          'W2,phone,1.0,300,S2,,,,',
        );
        expect(await run('tracked', 'stock', file)).toMatchObject({ status: 'completed', progress: { done: 7, total: 7 }, errors: [] });
        const quants = await service.database.rows(
          `select concat_ws(' ', warehouse_id, item_id, lot, location, quality, trim_scale(quantity), expires_at::date) as quant
             from inventory.quant where org_id = 'tracked' order by 1`,
        );
        expect(quants.map((row) => (row as { quant: string }).quant)).toEqual([
          'W1 milk L1 default available 10 2027-01-01',
          'W1 milk L2 B7 quarantined 3',
          'W1 phone S1 default available 1',
          'W1 plain  B7 available 5',
          'W1 plain  default damaged 2',
          'W2 milk L1 default available 4 2027-01-01',
          'W2 phone S2 default available 1',
        ]);
      });

      it('is told by line and column where it does not fit', async () => {
        await trackedCatalogue('unfit');
        expect(await run('unfit', 'stock', table(TRACKED, 'W1,milk,1,1,L1,,2027-01-01,,', 'W1,phone,1,1,S1,,,,'))).toMatchObject({
          errors: [],
        });
        const wrong = table(
          TRACKED,
          'W1,plain,1,1,L1,,,,',
          'W1,milk,1,1,,,,,',
          'W1,phone,1,1,,,,,',
          'W1,phone,2,1,S2,,,,',
          'W2,phone,1,1,S1,,,,',
          'W1,phone,1,1,S3,,,,',
          'W2,phone,1,1,S3,,,,',
          'W1,milk,1,1,L1,,,,',
          'W2,milk,1,1,L1,,2027-02-01,,',
          'W1,milk,1,1,L2,,,,',
          'W2,milk,1,1,L2,2026-01-01,,B7,',
          'W2,milk,1,1,L4,2026-03-01,2026-02-01,,',
          'W1,plain,1,1,,2026-02-01,2026-03-01,,',
        );
        const ended = await run('unfit', 'stock', wrong);
        expect(ended.errors.map(({ line, column, message }) => `${line} ${column}: ${message}`)).toEqual([
          '2 lot: Item plain is not tracked by lot; leave the lot out.',
          '3 lot: Item milk is tracked by lot; say which.',
          '4 lot: Item phone is tracked by serial number; say which piece it is.',
          '5 quantity: S2 of item phone is one piece, so its quantity is 1; give every piece a line of its own.',
          '6 lot: S1 of item phone is in stock already: a serial number exists once.',
          '8 lot: S3 of item phone stands in line 7 already: a serial number exists once.',
          '9 lot: Lot L1 of item milk has been stocked in W1 before; what comes later is received or counted, not imported.',
          '10 expiresAt: Lot L1 of item milk is known, and its expiresAt is 2027-01-01T00:00:00.000Z.',
          '12 producedAt: Lot L2 of item milk is known, and its producedAt is not set.',
          '12 location: Location B7 does not exist in W2; create it first.',
          '13 expiresAt: Lot L4 of item milk would expire before it was produced, at 2026-03-01T00:00:00.000Z.',
          '14 producedAt: Item plain is not tracked by lot, and only lots have dates; leave producedAt out.',
          '14 expiresAt: Item plain is not tracked by lot, and only lots have dates; leave expiresAt out.',
        ]);
      });

      it('may come after its lots, whose dates it then has', async () => {
        await trackedCatalogue('lots');
        const lots = table('itemId,lot,producedAt,expiresAt', 'milk,L1,,2027-01-01', 'milk,L2,2026-01-01T10:00:00Z,', 'phone,S1,,');
        expect(await run('lots', 'lots', lots)).toMatchObject({ status: 'completed', skipped: 0, progress: { done: 3, total: 3 } });
        expect(await run('lots', 'lots', lots)).toMatchObject({ status: 'completed', skipped: 3 });
        const swapped = table('itemId,lot,producedAt,expiresAt', 'milk,L9,2026-03-01,2026-02-01');
        expect((await run('lots', 'lots', swapped)).errors).toMatchObject([{ line: 2, column: 'expiresAt' }]);
        const wrong = table('itemId,lot,expiresAt', 'milk,L1,2027-01-02', 'plain,L1,', 'none,L1,', 'milk,L3,', 'milk,L3,');
        expect((await run('lots', 'lots', wrong)).errors.map(({ line, column, message }) => `${line} ${column}: ${message}`)).toEqual([
          '2 expiresAt: Lot L1 of item milk is known, and its expiresAt is 2027-01-01T00:00:00.000Z.',
          '3 lot: Item plain is not tracked by lot.',
          '4 itemId: Item none does not exist; create it first.',
          '6 lot: lot L3, itemId milk stands in line 5 already.',
        ]);
        await run('lots', 'stock', table(TRACKED, 'W1,milk,1,1,L1,,,,'));
        const [quant] = await service.database.rows(`select expires_at from inventory.quant where org_id = 'lots' and lot = 'L1'`);
        expect(quant).toEqual({ expires_at: new Date('2027-01-01T00:00:00Z') });
      });

      it('that is found right is never refused by the machine afterwards', async () => {
        const orgId = 'fit';
        await trackedCatalogue(orgId);
        const fillers = Array.from({ length: 1_000 }, (_, n) => `filler${n}`);
        await run(orgId, 'items', table('itemId,name', ...fillers.map((id) => `${id},f`)));
        const one = fc.constantFrom;
        const milk = fc.tuple(
          one('milk'),
          one('1', '2.5'),
          one('1', '2'),
          one('L1', 'L2'),
          one(''),
          one('', '2027-01-01'),
          one('', 'damaged'),
        );
        const phone = fc.tuple(one('phone'), one('1'), one('1'), one('S1', 'S2', 'S3', 'S4'), one(''), one(''), one(''));
        const plain = fc.tuple(one('plain'), one('1', '2.5'), one('1', '2'), one(''), one(''), one(''), one('', 'damaged'));
        const rounds = fc.sample(fc.array(fc.tuple(one('A', 'B'), fc.oneof(milk, phone, plain)), { minLength: 1, maxLength: 6 }), {
          seed: 20_260_301,
          numRuns: 30,
        });
        let completed = 0;
        for (const [round, picked] of rounds.entries()) {
          for (const name of ['A', 'B']) await service.call(WarehouseCreate, { orgId, warehouseId: `${name}${round}`, name });
          const lines = picked.map(([name, [itemId, quantity, unitCost, lot, ...rest]]) =>
            [`${name}${round}`, itemId, quantity, unitCost, lot && `${lot}-${round}`, ...rest.slice(0, 2), '', rest[2]].join(','),
          );
          // A batch of lines between the first and the others, so that lines meet those that were staged before.
          const between = round % 10 > 0 ? [] : fillers.map((id) => `A${round},${id},1,1,,,,,`);
          const ended = await run(orgId, 'stock', table(TRACKED, lines[0]!, ...between, ...lines.slice(1)));
          if (ended.status === 'completed') completed++;
          else expect([lines, ended.errors, ended.progress.done]).toEqual([lines, ended.errors, 0]);
        }
        expect(completed).toBeGreaterThan(3);
        expect(completed).toBeLessThan(rounds.length);
      }, 90_000);
    });

    it('that came one after the other is worked on in that order, so that what one brings the next one finds', async () => {
      await service.call(WarehouseCreate, { orgId: 'order', warehouseId: 'W1', name: 'W1' });
      const ids = Array.from({ length: 3_000 }, (_, n) => `i${n}`);
      const first = await send('order', 'items', table('itemId,name', ...ids.map((id) => `${id},${id}`)));
      const stock = table(HEADER, ...ids.map((id) => `W1,${id},1,1`));
      const [second, third] = [await send('order', 'stock', stock), await send('order', 'stock', stock)];
      expect(await ended('order', first)).toMatchObject({ status: 'completed' });
      expect(await ended('order', second)).toMatchObject({ status: 'completed', progress: { done: 3_000, total: 3_000 } });
      expect(await ended('order', third)).toMatchObject({ status: 'failed', errorCount: 3_000 });
    });
  });

  describe('a part', () => {
    const part = (importId: string, n: number, text: string, last = false, more = {}) =>
      service.call(ImportReceive, {
        orgId: 'part',
        importId,
        kind: 'items',
        part: n,
        data: Buffer.from(text).toString('base64'),
        last,
        ...more,
      });

    it('that comes again is recognised, also when the import is over', async () => {
      const importId = uuidv7();
      await part(importId, 1, 'itemId,name\n');
      expect(await part(importId, 1, 'itemId,name\n')).toMatchObject({ status: 'receiving' });
      await part(importId, 2, 'a,A\n', true);
      await ended('part', importId);
      expect(await part(importId, 2, 'a,A\n', true)).toMatchObject({ importId, status: 'completed' });
      expect(await part(importId, 1, 'itemId,name\n')).toMatchObject({ status: 'completed' });
    });

    it('is refused when it is another one, or not the next one', async () => {
      const importId = uuidv7();
      await expect(part(importId, 2, 'x')).rejects.toEqual(failure('IMPORT_NOT_FOUND'));
      await part(importId, 1, 'itemId,name\n');
      await expect(part(importId, 1, 'itemId,unit\n')).rejects.toEqual(failure('ALREADY_EXISTS'));
      await expect(part(importId, 1, 'itemId,name\n', true)).rejects.toEqual(failure('ALREADY_EXISTS'));
      await expect(part(importId, 1, 'itemId,name\n', false, { kind: 'stock' })).rejects.toEqual(failure('ALREADY_EXISTS'));
      await expect(part(importId, 3, 'a,A\n')).rejects.toEqual(failure('INVALID_STATE'));
      await expect(
        service.call(ImportReceive, { orgId: 'part', importId, kind: 'items', part: 2, data: '', last: true }, { userId: 'other' }),
      ).rejects.toEqual(failure('IMPORT_NOT_FOUND'));
      await service.call(ImportCancel, { orgId: 'part', importId });
      await expect(part(importId, 2, 'a,A\n', true)).rejects.toEqual(failure('INVALID_STATE'));
    });

    it('leaves nothing staged behind, whatever became of the import', async () => {
      const importId = uuidv7();
      await part(importId, 1, 'itemId,name\n');
      await service.call(ImportCancel, { orgId: 'part', importId });
      await run('part', 'items', table('itemId,name', 'x,', 'y,Y'));
      await run('part', 'items', table('itemId,name', 'y,Y'));
      const left = () =>
        service.database.rows(
          `select 1 from inventory.import_line where org_id = 'part' union all
           select 1 from inventory.import_part where org_id = 'part' and bytes is not null`,
        );
      while ((await left()).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    });
  });

  it('are at most 20 open ones of an organisation', async () => {
    const receive = (importId: string) =>
      service.call(ImportReceive, { orgId: 'open', importId, kind: 'items', part: 1, data: '', last: false });
    const ids = Array.from({ length: 20 }, () => uuidv7());
    for (const id of ids) await receive(id);
    await expect(receive(uuidv7())).rejects.toEqual(failure('RATE_LIMITED'));
    // One that is open is not refused.
    await receive(ids[0]!);
    await service.call(ImportCancel, { orgId: 'open', importId: ids[0]! });
    await receive(uuidv7());
  });

  it('whose sender has gone are cancelled', async () => {
    const importId = uuidv7();
    await service.call(ImportReceive, { orgId: 'gone', importId, kind: 'items', part: 1, data: '', last: false });
    await service.database.rows(`update inventory.import set updated_at = now() - interval '11 minutes' where import_id = $1`, [importId]);
    expect(await ended('gone', importId)).toMatchObject({ status: 'cancelled', errors: [{ message: expect.stringContaining('sender') }] });
  });

  it('that cannot be worked on are given up after some attempts', async () => {
    const importId = uuidv7();
    await service.call(ImportReceive, { orgId: 'poison', importId, kind: 'items', part: 1, data: '', last: false });
    await service.database.rows(
      `update inventory.import set attempts = 10, status = 'validating', received_at = now() where import_id = $1`,
      [importId],
    );
    expect(await ended('poison', importId)).toMatchObject({ status: 'failed', errors: [{ message: expect.stringContaining('our side') }] });
  });

  it('are listed, newest first', async () => {
    const ids = [await send('list', 'items', ''), await send('list', 'stock', ''), await send('list', 'items', '')];
    for (const id of ids) await ended('list', id);
    const list = async (query = {}, actor = {}) =>
      (await service.call(ImportList, { orgId: 'list', ...query }, actor)).items.map(({ importId }) => ids.indexOf(importId));
    expect(await list()).toEqual([2, 1, 0]);
    expect(await list({ kind: 'items' })).toEqual([2, 0]);
    expect(await list({ status: 'failed', limit: 2 })).toEqual([2, 1]);
    expect(await list({ status: 'completed' })).toEqual([]);
    // Who works in some warehouses does not see what others imported into whichever warehouses.
    const keeper = { userId: 'keeper', roles: ['inventory_manager' as const], warehouses: ['W1'] };
    expect(await list({}, keeper)).toEqual([2, 0]);
    await expect(service.call(ImportGet, { orgId: 'list', importId: ids[1]! }, keeper)).rejects.toEqual(failure('IMPORT_NOT_FOUND'));
    await expect(service.call(ImportCancel, { orgId: 'list', importId: ids[1]! }, keeper)).rejects.toEqual(failure('IMPORT_NOT_FOUND'));
    expect(await list({}, { ...keeper, userId: 'tester' })).toEqual([2, 1, 0]);
    await expect(list({}, { roles: ['sales' as const] })).rejects.toEqual(failure('FORBIDDEN'));
  });

  it('are none of another organisation', async () => {
    const importId = await send('ours', 'items', table('itemId,name', 'a,A'));
    await expect(service.call(ImportGet, { orgId: 'theirs', importId })).rejects.toEqual(failure('IMPORT_NOT_FOUND'));
    await expect(service.call(ImportCancel, { orgId: 'theirs', importId })).rejects.toEqual(failure('IMPORT_NOT_FOUND'));
    // The same id is another import there.
    await send('theirs', 'items', table('itemId,name', 'b,B'), { importId });
    expect(await ended('ours', importId)).toMatchObject({ status: 'completed' });
    expect(await ended('theirs', importId)).toMatchObject({ status: 'completed' });
    expect([await items('ours'), await items('theirs')]).toEqual([['a'], ['b']]);
  });
});
