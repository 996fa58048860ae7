import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../../scripts/demo/random.js';
import { type CallAnswer, NoAnswer, type Outsider, type WireEvent } from '../support/outsider.js';
import { Books } from './books.js';

export interface WorkloadOptions {
  readonly orgId: string;
  readonly seed: number;
  /** How long the answer to an event is waited for before its order goes on without it. */
  readonly patienceMs?: number;
}

interface Line {
  readonly lineNo: number;
  readonly itemId: string;
  readonly quantity: number;
}

/** Enough for everything, but for the last, of which some are refused. */
export const STOCK: Readonly<Record<string, number>> = { apple: 100_000, bread: 100_000, cocoa: 100_000, scarce: 40 };
const WAREHOUSE = 'main';
const SCARCE_CHANCE = 0.04;
const REPEAT_CHANCE = 0.15;
const CALL_TIMEOUT_MS = 3_000;
const CALL_GIVEN_UP_MS = 60_000;
const SPREAD = 100_003;

/**
 * The orders of an organisation, day in, day out: those of an OMS, which publishes events, some of them twice, and those of a shop, which
 * calls `orders` and, as clients do, calls again when there is no answer. What each order does is decided by the seed.
 */
export class Workload {
  readonly books = new Books();
  #orders = 0;
  #goesOn = true;
  readonly #lives: Promise<void>[] = [];

  constructor(
    private readonly outsider: Outsider,
    private readonly options: WorkloadOptions,
  ) {}

  get orders(): number {
    return this.#orders;
  }

  /** Keeps so many orders of each kind under way until it is told to stop. */
  start(concurrency: number): void {
    for (let n = 0; n < concurrency; n++) {
      this.#lives.push(
        this.#repeat((number) => this.#liveByEvents(number)),
        this.#repeat((number) => this.#liveByCalls(number)),
      );
    }
  }

  /** Begins no more orders; resolves when those under way have come to their end. */
  async stop(): Promise<void> {
    this.#goesOn = false;
    await Promise.all(this.#lives);
  }

  async #repeat(live: (number: number) => Promise<void>): Promise<void> {
    while (this.#goesOn) await live(++this.#orders);
  }

  /** An order of the OMS: confirmed, shipped in parts, sometimes returned or cancelled, with the numbers that only the OMS counts. */
  async #liveByEvents(number: number): Promise<void> {
    const random = new Random(this.options.seed * SPREAD + number);
    const orderId = `oms-${number}`;
    const lines = chooseLines(random);
    let sequence = 0;
    const confirming = this.#say(random, 'OrderConfirmed', ++sequence, { orderId, lines: lines.map(asText) });
    const shipping = random.next() < 0.3 ? this.#ship(random, orderId, ++sequence, lines, `${orderId}-a`) : undefined;
    const confirmed = await confirming;
    if (confirmed?.type === 'StockReserved') for (const line of lines) this.books.hold(orderId, line.itemId, line.quantity);
    await shipping;
    if (confirmed?.type !== 'StockReserved') return;
    // A part of it, so that a repeat would find something left to take.
    if (shipping === undefined) await this.#ship(random, orderId, ++sequence, lines, `${orderId}-b`);
    if (random.next() < 0.4) await this.#takeBack(random, orderId, ++sequence, lines[0]!);
    if (random.next() < 0.3) await this.#receive(random, `receipt-${number}`);
    if (random.next() < 0.3) {
      const released = await this.#say(random, 'OrderCancelled', ++sequence, { orderId });
      if (released?.type === 'StockReleased') this.books.releaseAll(orderId);
    }
  }

  /** One of each line. */
  async #ship(random: Random, orderId: string, sequence: number, lines: readonly Line[], shipmentId: string): Promise<void> {
    const data = { shipmentId, orderId, lines: lines.map((line) => ({ ...asText(line), quantity: '1' })) };
    const depleted = await this.#sayTwice(random, 'ShipmentConfirmed', sequence, data);
    if (!depleted.some((answer) => answer.type === 'StockDepleted')) return;
    this.books.post('sale_shipment', shipmentId, lines.length);
    for (const line of lines) this.books.hold(orderId, line.itemId, -1);
  }

  /** Half a piece, so that a repeat would find something left to take. */
  async #takeBack(random: Random, orderId: string, sequence: number, line: Line): Promise<void> {
    const returnId = `${orderId}-r`;
    const lines = [{ lineNo: line.lineNo, itemId: line.itemId, quantity: '0.5', condition: 'unknown', reason: 'test' }];
    const answers = await this.#sayTwice(random, 'ReturnReceived', sequence, { returnId, orderId, warehouseId: WAREHOUSE, lines });
    if (answers.some((answer) => answer.type === 'StockReturned')) this.books.post('sales_return', returnId, 0.5);
  }

  async #receive(random: Random, receiptId: string): Promise<void> {
    const lines = [{ itemId: random.pick(Object.keys(STOCK).slice(0, 3)), quantity: '2', unitCost: '1' }];
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
    const { orgId, patienceMs } = this.options;
    const event = this.outsider.envelope({ type, orgId, data, ...(sequence === undefined ? {} : { sequence }) });
    const times = random.next() < REPEAT_CHANCE ? 2 : 1;
    for (let time = 0; time < times; time++) await this.outsider.publishBytes(`${type}.${orgId}`, Buffer.from(JSON.stringify(event)));
    this.books.said.set(event.id, `${type} of ${JSON.stringify(data)}`);
    const answer = await this.outsider.answerTo(event.id, patienceMs ?? 60_000);
    if (answer === undefined && 'orderId' in data) this.books.unclear.add(String(data.orderId));
    return answer;
  }

  /** An order of the shop, from basket to return. */
  async #liveByCalls(number: number): Promise<void> {
    const random = new Random(this.options.seed * SPREAD + number);
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

  async #shipByCall(orderId: string, lines: readonly Line[], shipmentId: string): Promise<void> {
    const shipped = lines.map(({ lineNo }) => ({ lineNo, quantity: '1' }));
    if (!(await this.#insist('shipments.create', { orderId, shipmentId, lines: shipped }))) return;
    this.books.post('sale_shipment', shipmentId, lines.length);
    for (const line of lines) this.books.hold(orderId, line.itemId, -1);
  }

  async #takeBackByCall(orderId: string, line: Line): Promise<void> {
    const returnId = `${orderId}-r`;
    const quantity = '0.5';
    const lines = [{ lineNo: line.lineNo, quantity, condition: 'unknown', reason: 'test' }];
    if (!(await this.#insist('returns.create', { orderId, returnId, lines }))) return;
    if (!(await this.#insist('returns.receive', { returnId }))) return;
    this.books.post('sales_return', returnId, Number(quantity));
    await this.#insist('returns.inspect', { returnId, lines: [{ lineNo: line.lineNo, quantity, verdict: 'available' }] });
  }

  /** Calls until there is an answer; whether it is a yes. */
  async #insist(pattern: string, data: object): Promise<boolean> {
    const giveUpMs = Date.now() + CALL_GIVEN_UP_MS;
    for (;;) {
      const answer = await this.#call(pattern, data);
      if (answer !== undefined) {
        this.books.answered++;
        if (answer.err?.kind === 'bug') this.books.defects.push(`${pattern}: ${answer.err.message}`);
        return answer.err === undefined;
      }
      if (Date.now() > giveUpMs) {
        if ('orderId' in data) this.books.unclear.add(String(data.orderId));
        this.books.unanswered.push(`${pattern} of ${JSON.stringify(data)}`);
        return false;
      }
      await delay(100);
    }
  }

  async #call(pattern: string, data: object): Promise<CallAnswer | undefined> {
    try {
      const answer = await this.outsider.call('orders', pattern, { ...data, orgId: this.options.orgId }, CALL_TIMEOUT_MS);
      return answer.err?.kind === 'unavailable' ? undefined : answer;
    } catch (error) {
      if (error instanceof NoAnswer) return undefined;
      throw error;
    }
  }
}

/** Two lines of different items, at least two pieces each. */
function chooseLines(random: Random): Line[] {
  const items = Object.keys(STOCK).slice(0, 3);
  const first = random.next() < SCARCE_CHANCE ? 'scarce' : random.pick(items);
  const second = random.pick(items.filter((itemId) => itemId !== first));
  return [first, second].map((itemId, index) => ({ lineNo: index + 1, itemId, quantity: random.between(2, 4) }));
}

function asText({ lineNo, itemId, quantity }: Line) {
  return { lineNo, itemId, quantity: String(quantity) };
}
