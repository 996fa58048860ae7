import { unknownDemand } from './stock-rows.js';
import { mayComeTooEarly, noteMessage, wasOvertaken } from './message-order.js';
import { byCall, byEvent } from './simulation/given-stock.js';

/** A demand of which messages with these sequences were heard, in this order. */
const heard = (...sequences: number[]) => {
  const demand = unknownDemand('org/o1', new Date());
  for (const sequence of sequences) noteMessage(demand, byEvent('e', { sequence }));
  return demand;
};

describe('what was heard of an order', () => {
  it.each([
    [[1, 2, 3], 3, []],
    [[3, 1], 1, [3]],
    [[3, 5, 1, 2], 3, [5]],
    [[3, 5, 1, 2, 4, 4, 1], 5, []],
  ])('after %j: all up to %i, and ahead of it %j', (sequences, upTo, ahead) => {
    expect(heard(...sequences)).toMatchObject({ seenSequence: upTo, seenAhead: ahead });
  });

  it('is not held up for ever by a source that counts in its own way', () => {
    const demand = heard(...Array.from({ length: 60 }, (_, n) => 1_000 + 10 * n));
    expect(demand.seenAhead.length).toBeLessThanOrEqual(50);
    expect(demand.seenSequence).toBeGreaterThan(1_000);
  });
});

describe('a message that does not fit', () => {
  it.each([
    ['the next one has nothing to wait for', [1, 2], 3, false],
    ['one that is ahead waits for those before it', [1, 2], 4, true],
    ['one waits for a message that others, which were heard, build on', [1, 4], 2, true],
    ['the last of all has nothing to wait for', [1, 3], 2, false],
    ['one that was heard before has nothing to wait for', [1, 2], 2, false],
    ['one that was heard before waits for the gap behind it', [1, 2, 5], 2, true],
  ])('%s', (_, sequences, sequence, waits) => {
    expect(mayComeTooEarly(heard(...sequences), byEvent('e', { sequence }))).toBe(waits);
  });

  it('waits when nothing tells, and never when it must not', () => {
    expect(mayComeTooEarly(heard(1), byEvent('e'))).toBe(true);
    expect(mayComeTooEarly(heard(1), byEvent('e', { sequence: 9, mayWait: false }))).toBe(false);
    expect(mayComeTooEarly(heard(1), byCall())).toBe(false);
  });
});

describe('whoever else speaks of an order', () => {
  const demand = { ...heard(1, 2), source: '/oms', incomingSequence: 2, incomingTime: new Date(5_000) };
  const stranger = (sequence: number) => byEvent('e', { sequence, time: new Date(9_000) }, '/warehouse');

  it('counts in its own way, which tells nothing', () => {
    noteMessage(demand, stranger(7));
    expect(demand).toMatchObject({ seenSequence: 2, seenAhead: [] });
    expect(wasOvertaken(demand, stranger(1))).toBe(false);
    expect(wasOvertaken(demand, byEvent('e', { sequence: 1, time: new Date(9_000) }))).toBe(true);
    expect(mayComeTooEarly(demand, stranger(3))).toBe(true);
  });
});

describe('a fact that was said before the last totals', () => {
  const demand = { ...heard(), incomingSequence: 5, incomingTime: new Date(5_000) };

  it('is told by sequence, else by time; a call is the newest', () => {
    expect(wasOvertaken(demand, byEvent('e', { sequence: 4, time: new Date(9_000) }))).toBe(true);
    expect(wasOvertaken(demand, byEvent('e', { sequence: 6, time: new Date(1_000) }))).toBe(false);
    expect(wasOvertaken(demand, byEvent('e', { time: new Date(4_999) }))).toBe(true);
    expect(wasOvertaken(demand, byEvent('e', { time: new Date(5_000) }))).toBe(false);
    expect(wasOvertaken(demand, byCall())).toBe(false);
  });
});
