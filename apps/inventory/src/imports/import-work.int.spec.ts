import { setTimeout as delay } from 'node:timers/promises';
import { IMPORT_PART_BYTES, type ImportKind } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { stockViolations } from '../stock-machine/simulation/check-database.js';
import { ORG, wants } from '../stock-machine/simulation/given-stock.js';
import { StockDatabase, type StockProcess } from '../stock-machine/simulation/stock-database.js';
import { ImportWork } from './import-work.js';
import type { ImportRow } from './import.sql.js';
import { receivePart } from './receive-part.js';

const ITEMS = 2_500;

describe('work on imports', () => {
  let stock: StockDatabase;
  let processes: StockProcess[];
  let replicas: ImportWork[];
  const ids = Array.from({ length: ITEMS }, (_, n) => `item-${n}`);

  beforeAll(async () => {
    stock = await StockDatabase.create();
    processes = await Promise.all(Array.from({ length: 4 }, () => stock.process()));
    replicas = processes.map(({ database, batcher }) => new ImportWork(database, batcher));
    for (const org of [ORG, 'twin']) await stock.addCatalogue(org, ['order'], ['W1', 'W2']);
  });
  afterAll(() => stock.drop());

  async function send(orgId: string, kind: ImportKind, ...lines: string[]): Promise<string> {
    const importId = uuidv7();
    const bytes = Buffer.from(lines.join('\n'));
    const actor = { userId: 'tester', orgId, roles: ['admin' as const], warehouses: null };
    for (let part = 1, at = 0; at < bytes.length; part++, at += IMPORT_PART_BYTES) {
      const data = bytes.subarray(at, at + IMPORT_PART_BYTES).toString('base64');
      const last = at + IMPORT_PART_BYTES >= bytes.length;
      await processes[0]!.database.transaction([orgId], (tx) => receivePart(tx, orgId, actor, { importId, kind, part, data, last }));
    }
    return importId;
  }

  const state = async (importId: string) =>
    (await stock.rows<ImportRow>('select * from inventory.import where import_id = $1', [importId]))[0]!;
  const workAll = () => Promise.all(replicas.map((replica) => replica.work()));

  it('is done once, also by replicas that take each other for dead all the time', async () => {
    const imports: string[] = [];
    for (const org of [ORG, 'twin']) {
      imports.push(await send(org, 'items', 'itemId,name', ...ids.map((id) => `${id},${id}`)));
      imports.push(
        await send(org, 'stock', 'warehouseId,itemId,quantity,unitCost', ...ids.flatMap((id) => [`W1,${id},2,1`, `W2,${id},3,1`])),
      );
    }
    const over = new AbortController();
    let stolen = 0;
    const thief = (async () => {
      for (; !over.signal.aborted; await delay(30)) {
        const taken = await stock.rows('update inventory.import set lease_until = now() where lease_holder is not null returning 1');
        stolen += taken.length;
      }
    })();
    for (const importId of imports) while ((await state(importId)).finished_at === null) await workAll();
    over.abort();
    await thief;
    expect(stolen).toBeGreaterThan(10);
    for (const [index, importId] of imports.entries()) {
      const lines = index % 2 === 0 ? ITEMS : 2 * ITEMS;
      expect(await state(importId)).toMatchObject({ status: 'completed', done: lines, total: lines, error_count: 0 });
    }
    const balances = await stock.rows(
      `select org_id, count(*)::int as n, sum(on_hand)::int as "onHand", max(last_entry_no) as entries
         from inventory.stock_balance group by 1 order by 1`,
    );
    expect(balances).toEqual([ORG, 'twin'].sort().map((org_id) => ({ org_id, n: 2 * ITEMS, onHand: 5 * ITEMS, entries: '1' })));
    expect(await stockViolations(stock)).toEqual([]);
  }, 120_000);

  it('that is cancelled counts what was applied, and goes no further', async () => {
    const [{ database }, work] = [processes[0]!, replicas[0]!];
    await stock.addCatalogue(ORG, [], ['W3']);
    const importId = await send(ORG, 'stock', 'warehouseId,itemId,quantity,unitCost', ...ids.map((id) => `W3,${id},1,1`));
    const working = work.work();
    while ((await state(importId)).done < 200 || (await state(importId)).status !== 'applying') await delay(1);
    await database.transaction([ORG], (tx) =>
      tx.execute(`update import set status = 'cancelled', finished_at = now() where import_id = $1`, [importId]),
    );
    await working;
    await workAll();
    const { done, status } = await state(importId);
    const [posted] = await stock.rows<{ n: number }>(`select count(*)::int as n from inventory.ledger_entry where ref_id = $1`, [importId]);
    expect([status, posted!.n]).toEqual(['cancelled', done]);
    expect(done).toBeLessThan(ITEMS);
  }, 60_000);

  it('serves who waits for the stock', async () => {
    const { batcher } = processes[1]!;
    await batcher.submit(wants('waiting', { 1: 'order 3' }, { mode: 'partial', warehouseId: 'W1' }), 'calls');
    await send(ORG, 'stock', 'warehouseId,itemId,quantity,unitCost', 'W1,order,2,1');
    await workAll();
    const [row] = await stock.rows<{ lines: unknown }>(`select lines from inventory.demand where order_id = 'waiting'`);
    expect(row!.lines).toMatchObject([{ requested: '3', reserved: '2', backordered: '1' }]);
  });

  it('goes on with the others when the stock of one is refused after it was checked', async () => {
    const late = Array.from({ length: 300 }, (_, n) => `late-${n}`);
    await stock.addCatalogue(ORG, late, ['W4']);
    const importId = await send(ORG, 'stock', 'warehouseId,itemId,quantity,unitCost', ...late.map((id) => `W4,${id},1,1`));
    // Becomes tracked by lot between check and receipt, in the middle of the second receipt.
    await stock.rows(
      `create function inventory.becomes_tracked() returns trigger language plpgsql as
       $$ begin update inventory.item set tracking = 'lot' where org_id = new.org_id and item_id = 'late-150'; return new; end $$;
       create trigger becomes_tracked after update on inventory.import for each row
         when (old.status = 'validating' and new.status = 'applying') execute function inventory.becomes_tracked()`,
    );
    await replicas[2]!.work();
    const { status, done, error_count } = await state(importId);
    expect([status, done, error_count]).toEqual(['failed', 200, 100]);
    const errors = await stock.rows<{ line: number; message: string }>(
      'select line, message from inventory.import_error where import_id = $1 order by line',
      [importId],
    );
    expect(errors.map(({ line }) => line)).toEqual(Array.from({ length: 100 }, (_, n) => n + 102));
    expect(errors[0]!.message).toBe(
      'Not applied, nor the others of lines 102 to 201 of this warehouse: item late-150 is tracked by lot; say which.',
    );
    await stock.rows('drop trigger becomes_tracked on inventory.import');
  });
});
