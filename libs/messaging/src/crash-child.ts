import { InProcessDelivery } from './in-process-delivery.js';
import { RabbitDelivery } from './rabbit-delivery.js';
import { makePing, range, TestService } from './test-service.js';

// A process that publishes and consumes until it is killed at the point that HOLDFAST_CRASH_AT names; run by crash.int.spec.ts.
// Arguments: database URL, broker URL or "in-process", prefix, number of the first event, how many.

const [databaseUrl = '', broker = '', prefix = '', first = '0', count = '0'] = process.argv.slice(2);
const shared = new InProcessDelivery();
const open = async (name: string) => (broker === 'in-process' ? shared : await RabbitDelivery.open({ url: broker, name, prefix }));

const inventory = await TestService.start(databaseUrl, {}, { service: 'inventory', delivery: await open('inventory') });
const orders = await TestService.start(databaseUrl, {}, { service: 'orders', delivery: await open('orders') });
const BATCH = 10;
for (let n = Number(first); n < Number(first) + Number(count); n += BATCH) {
  // What was committed, and so must have its effect, is in the table of orders.
  await orders.database.transaction(['acme'], async (tx) => {
    const events = range(BATCH).map((index) => makePing(n + index));
    await orders.outbox.append(tx, events);
    for (const { data } of events) await tx.execute('insert into effect (org_id, n) values ($1, $2)', ['acme', data.n]);
  });
}
await Promise.all([inventory, orders].map((service) => service.close()));
process.exit(0);
