import { type EventDefinition, type EventOf, findEvent, validateEnvelope } from '#libs/contracts';
import { subjectKey } from '../balance.js';
import { type Demand, stockLines } from '../demand.js';
import { ensure } from './check-rows.js';

const SHORTEST_DECIMAL = /^(0|-?(?:[1-9]\d*|0)(?:\.\d*[1-9])?)$/;
const COUNTED = new Set(['occurrences', 'lineNo']);
const DECIMALS =
  /^(quantity|quantityDelta|requested|reserved|backordered|fulfilled|returned|closed|unheld|available|balanceAfter|onHand|threshold|unitCost|missing|value)$/;

/** Reads the events as a receiver does that applies only what has a higher sequence. */
export class Receiver {
  private readonly sequences = new Map<string, number>();
  private readonly stocks = new Map<string, string>();

  receive(event: EventOf<EventDefinition>): void {
    const definition = findEvent(event.type);
    ensure(definition !== undefined, () => `${event.type} is not declared`);
    const errors = validateEnvelope(event) ?? definition.validate(event.data);
    ensure(errors === null, () => `${event.type} breaks its schema: ${JSON.stringify(errors)} in ${JSON.stringify(event)}`);
    checkDecimals(event.type, event.data);
    const { stock } = event.data as { stock?: unknown };
    if (stock === undefined) return;
    const order = subjectKey(event.orgid, event.subject);
    const last = this.sequences.get(order) ?? 0;
    ensure(event.sequence === last + 1, () => `${event.type} of ${order} has sequence ${event.sequence} after ${last}`);
    this.sequences.set(order, event.sequence);
    this.stocks.set(order, JSON.stringify(stock));
  }

  /** Whoever listens knows the stock state of an order: no change of it goes untold. */
  check(demand: Demand): void {
    const order = subjectKey(demand.orgId, demand.orderId);
    ensure(
      demand.sequence === (this.sequences.get(order) ?? 0),
      () => `${order} counts ${demand.sequence}, ${this.sequences.get(order)} were told`,
    );
    if (demand.lines.length === 0 && !this.stocks.has(order)) return;
    const stock = JSON.stringify(stockLines(demand));
    ensure(stock === this.stocks.get(order), () => `${order} is ${stock}, and ${this.stocks.get(order)} was told`);
  }
}

/** I9: quantities leave as the shortest decimal strings, and nothing else is a number. */
function checkDecimals(where: string, value: unknown, key = ''): void {
  if (typeof value === 'number') ensure(COUNTED.has(key), () => `I9: ${key} of ${where} is a number`);
  if (typeof value === 'string' && DECIMALS.test(key))
    ensure(SHORTEST_DECIMAL.test(value) && value !== '-0', () => `I9: ${key} of ${where} is "${value}"`);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) checkDecimals(where, part, Array.isArray(value) ? key : name);
}
