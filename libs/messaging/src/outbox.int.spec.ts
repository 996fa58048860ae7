import { makeEvent, StockReserved } from '#libs/contracts';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import type { Relay } from './relay.js';

describe('statements of messaging that are left to the commit', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await createTestDatabase(['inventory']);
  });
  afterAll(() => test.drop());

  it('do not end the process when an earlier statement has failed', async () => {
    const database = await test.open('inventory');
    const event = makeEvent(
      StockReserved,
      { source: '/inventory', subject: 'o-1', orgid: 'acme', time: new Date().toISOString() },
      { orderId: 'o-1', firm: true, expiresAt: null, lines: [], stock: [] },
    );
    const outbox = new Outbox({ take: () => {} } as unknown as Relay);
    const inbox = new Inbox();
    const work = database.transaction(['acme'], async (tx) => {
      void tx.execute('select 1 / 0');
      void inbox.admit(tx, [event]);
      void outbox.append(tx, [event]);
    });
    await expect(work).rejects.toThrow('division by zero');
    // Jest fails a test that leaves a rejection unhandled.
    await new Promise((done) => setTimeout(done, 20));
  });
});
