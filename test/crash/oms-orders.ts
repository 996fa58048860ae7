import type { Random } from '../../scripts/demo/random.js';
import type { Outsider, WireEvent } from '../support/outsider.js';
import type { Books } from './books.js';
import { chooseLines, type OrderedLine, PLENTIFUL, WAREHOUSE } from './order-lines.js';
import type { Trade } from './trade.js';

const REPEAT_CHANCE = 0.15;
const PATIENCE_MS = 60_000;

/** The orders of an OMS, which publishes events, some of them twice. */
export class OmsOrders implements Trade {
  /** @param patienceMs how long the answer to an event is waited for before its order goes on without it. */
  constructor(
    private readonly outsider: Outsider,
    private readonly books: Books,
    private readonly orgId: string,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** An order of the OMS: confirmed, shipped in parts, sometimes returned or cancelled, with the numbers that only the OMS counts. */
  async live(number: number, random: Random): Promise<void> {
    const orderId = `oms-${number}`;
    const lines = chooseLines(random);
    let sequence = 0;
    const confirming = this.#say(random, 'OrderConfirmed', ++sequence, { orderId, lines: lines.map(asText) });
    const shipping = random.next() < 0.3 ? this.#ship(random, orderId, ++sequence, lines, `${orderId}-a`) : undefined;
    const confirmed = await confirming;
    const isShipped = await shipping;
    if (confirmed?.type !== 'StockReserved') return;
    for (const line of lines) this.books.hold(orderId, line.itemId, isShipped === true ? line.quantity - 1 : line.quantity);
    if (shipping === undefined && (await this.#ship(random, orderId, ++sequence, lines, `${orderId}-b`)))
      for (const line of lines) this.books.hold(orderId, line.itemId, -1);
    if (random.next() < 0.4) await this.#takeBack(random, orderId, ++sequence, lines[0]!);
    if (random.next() < 0.3) await this.#receive(random, `receipt-${number}`);
    if (random.next() < 0.3) {
      const released = await this.#say(random, 'OrderCancelled', ++sequence, { orderId });
      if (released?.type === 'StockReleased') this.books.releaseAll(orderId);
    }
  }

  /** One of each line, so that a repeat would find something left to take. */
  async #ship(random: Random, orderId: string, sequence: number, lines: readonly OrderedLine[], shipmentId: string): Promise<boolean> {
    const data = { shipmentId, orderId, lines: lines.map((line) => ({ ...asText(line), quantity: '1' })) };
    const depleted = await this.#sayTwice(random, 'ShipmentConfirmed', sequence, data);
    const isShipped = depleted.some((answer) => answer.type === 'StockDepleted');
    if (isShipped) this.books.post('sale_shipment', shipmentId, lines.length);
    return isShipped;
  }

  /** Half a piece, so that a repeat would find something left to take. */
  async #takeBack(random: Random, orderId: string, sequence: number, line: OrderedLine): Promise<void> {
    const returnId = `${orderId}-r`;
    const lines = [{ lineNo: line.lineNo, itemId: line.itemId, quantity: '0.5', condition: 'unknown', reason: 'test' }];
    const answers = await this.#sayTwice(random, 'ReturnReceived', sequence, { returnId, orderId, warehouseId: WAREHOUSE, lines });
    if (answers.some((answer) => answer.type === 'StockReturned')) this.books.post('sales_return', returnId, 0.5);
  }

  async #receive(random: Random, receiptId: string): Promise<void> {
    const lines = [{ itemId: random.pick(PLENTIFUL), quantity: '2', unitCost: '1' }];
    const answers = await this.#sayTwice(random, 'GoodsReceived', undefined, { receiptId, warehouseId: WAREHOUSE, lines });
    if (answers.some((answer) => answer.type === 'StockReceived')) this.books.post('receipt', receiptId, 2);
  }

  /** Says something, sometimes again under another id, as a system does that lost its memory; the business key is the same. */
  async #sayTwice(random: Random, type: string, sequence: number | undefined, data: object): Promise<WireEvent[]> {
    const sayings = [this.#say(random, type, sequence, data)];
    if (random.next() < REPEAT_CHANCE) sayings.push(this.#say(random, type, sequence, data));
    return (await Promise.all(sayings)).filter((answer) => answer !== undefined);
  }

  /** Publishes an event, sometimes twice, and answers the answer. */
  async #say(random: Random, type: string, sequence: number | undefined, data: object): Promise<WireEvent | undefined> {
    const { orgId } = this;
    const event = this.outsider.envelope({ type, orgId, data, ...(sequence === undefined ? {} : { sequence }) });
    const times = random.next() < REPEAT_CHANCE ? 2 : 1;
    for (let time = 0; time < times; time++) await this.outsider.publishBytes(`${type}.${orgId}`, Buffer.from(JSON.stringify(event)));
    this.books.said.set(event.id, `${type} of ${JSON.stringify(data)}`);
    const answer = await this.outsider.answerTo(event.id, this.patienceMs);
    if (answer === undefined && 'orderId' in data) this.books.unclear.add(String(data.orderId));
    return answer;
  }
}

function asText({ lineNo, itemId, quantity }: OrderedLine) {
  return { lineNo, itemId, quantity: String(quantity) };
}
