import type { TestDatabase } from '#libs/testing';
import { disagreements, parkedMessages, stockViolations } from '../support/check-stock.js';
import type { Outsider } from '../support/outsider.js';
import type { Books } from './books.js';

/** Who hears the answers to events. */
export type Hearer = Pick<Outsider, 'answersTo'>;

/** What is wrong in the end, in words. */
export interface Verdict {
  /** Said or promised, and without its effect or its answer. */
  readonly lost: readonly string[];
  /** With more than one effect, or more than one answer. */
  readonly doubled: readonly string[];
  /** Counters that are not the sum of their rows, and services that tell different things. */
  readonly inconsistent: readonly string[];
}

/** Whether nothing is under way any more. */
export async function isQuiet(database: TestDatabase, outsider: Hearer, books: Books): Promise<boolean> {
  if ([...books.said.keys()].some((id) => outsider.answersTo(id).length === 0)) return false;
  const [left] = await database.rows<{ count: string }>(
    `select (select count(*) from inventory.outbox) + (select count(*) from orders.outbox)
          + (select count(*) from orders.customer_order where outstanding is not null) as count`,
  );
  return Number(left!.count) === 0 && (await disagreements(database)).length === 0;
}

/** Compares what the outside knows with the tables, and the tables with each other. */
export async function judge(database: TestDatabase, outsider: Hearer, books: Books): Promise<Verdict> {
  const lost: string[] = [...books.unanswered.map((call) => `never answered: ${call}`)];
  const doubled: string[] = [];
  for (const [id, what] of books.said) {
    const answers = outsider.answersTo(id).filter((answer) => !/^(BackorderFilled|ReservationShorted)$/.test(answer.type));
    if (answers.length === 0) lost.push(`no answer to ${what}`);
    if (answers.length > 1) doubled.push(`${answers.map((answer) => answer.type).join(' and ')} answer ${what}`);
  }
  const compare = (what: string, expected: ReadonlyMap<string, number>, actual: ReadonlyMap<string, number>) => {
    for (const key of new Set([...expected.keys(), ...actual.keys()])) {
      const [wanted = 0, found = 0] = [expected.get(key), actual.get(key)];
      if (books.unclear.has(key.split('/')[0]!) || wanted === found) continue;
      // An effect that nobody was told of is as bad as an answer without effect.
      const isDoubled = expected.has(key) && found > wanted;
      (isDoubled ? doubled : lost).push(`${what} ${key}: ${found} instead of ${expected.get(key) ?? 'what nobody was told of'}`);
    }
  };
  compare('moved', books.moved, await movedQuantities(database));
  compare('held', books.held, await heldQuantities(database));
  for (const service of ['inventory', 'orders'] as const) {
    const outbox = await database.rows<{ event: string }>(`select convert_from(event, 'UTF8') as event from ${service}.outbox`);
    lost.push(...outbox.map(({ event }) => `still in the outbox of ${service}: ${event}`));
    lost.push(...(await parkedMessages(database, service)).map((message) => `parked by ${service}: ${JSON.stringify(message)}`));
  }
  return { lost, doubled, inconsistent: [...(await stockViolations(database)), ...(await disagreements(database))] };
}

async function movedQuantities(database: TestDatabase): Promise<Map<string, number>> {
  const rows = await database.rows<{ key: string; quantity: string }>(
    `select movement_type || '/' || ref_id as key, abs(sum(quantity_delta)) as quantity from inventory.ledger_entry
      where movement_type in ('sale_shipment', 'sales_return', 'receipt') and ref_id not like 'initial-%' group by 1`,
  );
  return new Map(rows.map(({ key, quantity }) => [key, Number(quantity)]));
}

async function heldQuantities(database: TestDatabase): Promise<Map<string, number>> {
  const rows = await database.rows<{ key: string; quantity: string }>(
    `select order_id || '/' || item_id as key, sum(quantity - fulfilled_quantity) as quantity from inventory.reservation
      where status = 'active' group by 1`,
  );
  return new Map(rows.map(({ key, quantity }) => [key, Number(quantity)]));
}
