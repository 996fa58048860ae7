import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../scripts/demo/random.js';
import { type CallAnswer, NoAnswer, type Outsider } from '../support/outsider.js';
import type { Books } from './books.js';
import { chooseLines, type OrderedLine } from './order-lines.js';
import type { Trade } from './trade.js';

const CALL_TIMEOUT_MS = 3_000;
const CALL_GIVEN_UP_MS = 100_000;

/** Asks `orders` for something; answers undefined when the same is to be asked again. */
export type ShopCall = (pattern: string, data: Readonly<Record<string, unknown>>) => Promise<CallAnswer | undefined>;

/** Calls by RPC. */
export function callBy(outsider: Outsider, orgId: string): ShopCall {
  return async (pattern, data) => {
    try {
      const answer = await outsider.call('orders', pattern, { ...data, orgId }, CALL_TIMEOUT_MS);
      return answer.err?.kind === 'unavailable' ? undefined : answer;
    } catch (error) {
      if (error instanceof NoAnswer) return undefined;
      throw error;
    }
  };
}

/** The orders of a shop, which calls and, as clients do, calls again when there is no answer. */
export class ShopOrders implements Trade {
  constructor(
    private readonly call: ShopCall,
    private readonly books: Books,
  ) {}

  /** An order of the shop, from basket to return. */
  async live(number: number, random: Random): Promise<void> {
    const orderId = `shop-${number}`;
    const lines = chooseLines(random);
    const wanted = lines.map(({ itemId, quantity }) => ({ itemId, quantity: String(quantity) }));
    if (!(await this.#insist('orders.create', { orderId, customerId: 'c', lines: wanted }))) return;
    for (const line of lines) this.books.hold(orderId, line.itemId, line.quantity);
    if (random.next() < 0.9 && (await this.#insist('orders.confirm', { orderId }))) {
      if (random.next() < 0.8) await this.#shipByCall(orderId, lines, `${orderId}-a`);
      if (random.next() < 0.4) await this.#takeBackByCall(orderId, lines[0]!);
      if (random.next() < 0.4) await this.#shipByCall(orderId, lines.slice(0, 1), `${orderId}-b`);
    }
    if (random.next() < 0.3 && (await this.#insist('orders.cancel', { orderId }))) this.books.releaseAll(orderId);
  }

  async #shipByCall(orderId: string, lines: readonly OrderedLine[], shipmentId: string): Promise<void> {
    const shipped = lines.map(({ lineNo }) => ({ lineNo, quantity: '1' }));
    if (!(await this.#insist('shipments.create', { orderId, shipmentId, lines: shipped }))) return;
    this.books.post('sale_shipment', shipmentId, lines.length);
    for (const line of lines) this.books.hold(orderId, line.itemId, -1);
  }

  async #takeBackByCall(orderId: string, line: OrderedLine): Promise<void> {
    const returnId = `${orderId}-r`;
    const quantity = '0.5';
    const lines = [{ lineNo: line.lineNo, quantity, condition: 'unknown', reason: 'test' }];
    if (!(await this.#insist('returns.create', { orderId, returnId, lines }))) return;
    if (!(await this.#insist('returns.receive', { returnId }))) return;
    this.books.post('sales_return', returnId, Number(quantity));
    await this.#insist('returns.inspect', { returnId, lines: [{ lineNo: line.lineNo, quantity, verdict: 'available' }] });
  }

  /** Calls until there is an answer; whether it is a yes. */
  async #insist(pattern: string, data: Readonly<Record<string, unknown>>): Promise<boolean> {
    const giveUpMs = Date.now() + CALL_GIVEN_UP_MS;
    for (;;) {
      const answer = await this.call(pattern, data);
      if (answer !== undefined) {
        this.books.answered++;
        if (answer.err?.kind === 'bug') this.books.defects.push(`${pattern}: ${answer.err.message}`);
        return answer.err === undefined;
      }
      if (Date.now() > giveUpMs) {
        if ('orderId' in data) this.books.unclear.add(String(data['orderId']));
        this.books.unanswered.push(`${pattern} of ${JSON.stringify(data)}`);
        return false;
      }
      await delay(100);
    }
  }
}
