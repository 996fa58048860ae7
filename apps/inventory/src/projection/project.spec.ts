import fc from 'fast-check';
import { addDays, type Day, formatQuantity, maxQuantity, parseQuantity, type Quantity, ZERO } from '#libs/domain';
import { availableToPromise, type AvailabilityTerms, safetyStock } from '../availability/available-to-promise.js';
import { type Dated, earliestDay, type Outlook, project, servedDay } from './project.js';

const TODAY = '2026-03-01';
const HORIZON = 8;
const dayAt = (offset: number): Day => addDays(TODAY, offset);

type Quantities = Readonly<Record<number, number>>;

/** Offsets of days from today, with what happens then. */
interface Story extends Partial<Record<'onHand' | 'blocked' | 'reserved' | 'backordered' | 'safetyQuantity' | 'safetyPercent', number>> {
  readonly arrivals?: Quantities;
  readonly demands?: Quantities;
  readonly expiries?: Quantities;
}

const quantity = (n = 0) => parseQuantity(String(n));
const dated = (quantities: Quantities = {}): Dated[] =>
  Object.entries(quantities).map(([offset, n]) => ({ day: dayAt(Number(offset)), quantity: quantity(n) }));
const outlookOf = (story: Story): Outlook => ({
  onHand: quantity(story.onHand),
  blocked: quantity(story.blocked),
  reserved: quantity(story.reserved),
  backordered: quantity(story.backordered),
  safetyQuantity: quantity(story.safetyQuantity),
  safetyPercent: quantity(story.safetyPercent),
  expiredOrTooOld: ZERO,
  doubts: 0,
  doubtful: ZERO,
  lockPolicy: 'soft',
  arrivals: dated(story.arrivals),
  demands: dated(story.demands),
  expiries: dated(story.expiries),
});
const told = (story: Story, days = 5) =>
  project(outlookOf(story), TODAY, days).map(({ projected, available }) => `${formatQuantity(projected)}/${formatQuantity(available)}`);

describe('a projection', () => {
  it('has as many days as were asked for, from today on', () => {
    expect(project(outlookOf({}), '2026-12-30', 4).map(({ day }) => day)).toEqual(['2026-12-30', '2026-12-31', '2027-01-01', '2027-01-02']);
  });

  it('stays as it is while nothing happens', () => {
    expect(told({ onHand: 10, blocked: 1, reserved: 2 })).toEqual(['7/7', '7/7', '7/7', '7/7', '7/7']);
  });

  it('counts what is expected from its day on, and what is overdue today', () => {
    expect(told({ onHand: 2, arrivals: { [-3]: 1, 2: 10, 9: 50 } })).toEqual(['3/3', '3/3', '13/13', '13/13', '13/13']);
  });

  it('keeps for a later day what is due then', () => {
    expect(told({ onHand: 10, demands: { 2: 8 }, arrivals: { 3: 5 } })).toEqual(['10/2', '10/2', '2/2', '7/7', '7/7']);
  });

  it('promises nothing while somebody waits, and what arrives beyond that', () => {
    expect(told({ backordered: 6, arrivals: { 1: 4, 3: 5 } })).toEqual(['-6/0', '-2/0', '-2/0', '3/3', '3/3']);
  });

  it('keeps the safety stock back: the quantity, or the percentage of what is sellable by then', () => {
    expect(told({ onHand: 10, reserved: 2, safetyQuantity: 3, arrivals: { 1: 10 } }, 2)).toEqual(['8/5', '18/15']);
    expect(told({ onHand: 10, reserved: 2, safetyQuantity: 3, safetyPercent: 50, arrivals: { 1: 10 } }, 2)).toEqual(['8/3', '18/8']);
  });

  it('keeps a percentage of what is left when a lot has fallen out', () => {
    expect(told({ onHand: 100, safetyPercent: 50, expiries: { 2: 90 } }, 3)).toEqual(['100/50', '100/50', '10/5']);
  });

  it('does not serve who waits from the safety stock', () => {
    expect(told({ onHand: 5, safetyQuantity: 5, backordered: 2, expiries: { 2: 5 }, arrivals: { 4: 9 } })).toEqual([
      '3/0',
      '3/0',
      '-2/0',
      '-2/0',
      '7/2',
    ]);
  });

  it('lets a lot fall out on its day, and may still promise it until then', () => {
    expect(told({ onHand: 10, expiries: { 2: 6 } })).toEqual(['10/10', '10/10', '4/4', '4/4', '4/4']);
    expect(told({ onHand: 10, expiries: { 0: 6 } })[0]).toBe('4/4');
    // Whatever lots say, no more can fall out than is free.
    expect(told({ onHand: 10, reserved: 6, expiries: { 2: 6 } }, 3)).toEqual(['4/4', '4/4', '0/0']);
  });

  it('takes first what expires first', () => {
    // The four that are due tomorrow come from the lot, of which two are lost then.
    expect(told({ onHand: 10, expiries: { 2: 6 }, demands: { 1: 4 } })).toEqual(['10/6', '6/6', '4/4', '4/4', '4/4']);
    // Of the six that expire, four can be had today without taking from those that are due on the day after.
    expect(told({ onHand: 10, expiries: { 2: 6 }, demands: { 3: 4 } })).toEqual(['10/6', '10/6', '4/0', '0/0', '0/0']);
  });

  it('owes what is missing on hand', () => {
    expect(told({ onHand: -3, arrivals: { 1: 5 } }, 2)).toEqual(['-3/0', '2/2']);
  });
});

describe('the earliest day', () => {
  const earliest = (story: Story, n: number) => earliestDay(outlookOf(story), TODAY, quantity(n))?.day ?? null;

  it('is the first on which so much can be promised, however far away', () => {
    expect(earliest({ onHand: 3, arrivals: { 2: 2, 700: 5 } }, 3)).toBe(TODAY);
    expect(earliest({ onHand: 3, arrivals: { 2: 2, 700: 5 } }, 5)).toBe('2026-03-03');
    expect(earliest({ onHand: 3, arrivals: { 2: 2, 700: 5 } }, 6)).toBe(dayAt(700));
    expect(earliest({ onHand: 3, arrivals: { 2: 2, 700: 5 } }, 11)).toBeNull();
  });

  it('is not before those who wait have theirs', () => {
    expect(earliest({ backordered: 4, arrivals: { 2: 5, 4: 5 } }, 2)).toBe(dayAt(4));
  });

  it('is not one after which something else would be missing', () => {
    expect(earliest({ onHand: 5, demands: { 3: 5 }, arrivals: { 6: 5 } }, 1)).toBe(dayAt(6));
  });
});

describe('the day on which all are served', () => {
  const served = (story: Story) => servedDay(outlookOf(story), TODAY);

  it('is the one on which nobody waits any more', () => {
    expect(served({ onHand: 4, backordered: 4 })).toBe(TODAY);
    expect(served({ backordered: 4, arrivals: { 1: 3, 5: 1 } })).toBe(dayAt(5));
    expect(served({ backordered: 4, safetyQuantity: 2, arrivals: { 1: 5, 9: 1 } })).toBe(dayAt(9));
    expect(served({ backordered: 4, arrivals: { 1: 3 } })).toBeNull();
  });
});

describe('whatever is expected', () => {
  const amounts = fc.dictionary(fc.integer({ min: -1, max: HORIZON + 1 }).map(String), fc.integer({ min: 0, max: 12 }), { maxKeys: 4 });
  const terms = fc
    .record({
      reserved: fc.nat({ max: 6 }),
      free: fc.nat({ max: 12 }),
      blocked: fc.nat({ max: 3 }),
      backordered: fc.oneof(fc.constant(0), fc.nat({ max: 12 })),
      safetyQuantity: fc.oneof(fc.constant(0), fc.nat({ max: 6 })),
      safetyPercent: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 })),
    })
    .map(({ free, ...story }) => ({ ...story, onHand: story.reserved + story.blocked + free }));
  const story = fc
    .record({ terms, arrivals: amounts, demands: amounts, expiries: amounts })
    .map(({ terms, ...days }) => ({ ...terms, ...days }));
  const offset = fc.nat({ max: HORIZON - 1 });
  const looked = (outlook: Outlook) => project(outlook, TODAY, HORIZON);
  const demanding = (outlook: Outlook, at: number, n: Quantity): Outlook => ({
    ...outlook,
    demands: [...outlook.demands, { day: dayAt(at), quantity: n }],
  });
  const check = <T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void) => fc.assert(fc.property(arbitrary, holds), { numRuns: 2_000 });

  it('taking what is available on a day makes no day negative that was not, and none worse that was', () => {
    check(fc.tuple(story, offset, fc.integer({ min: 1, max: 4 })), ([given, at, part]) => {
      const outlook = outlookOf(given);
      const before = looked(outlook);
      const after = looked(demanding(outlook, at, before[at]!.available / BigInt(part)));
      for (const [day, { projected }] of before.entries()) {
        expect(after[day]!.projected >= (projected < ZERO ? projected : ZERO)).toBe(true);
      }
    });
  });

  it('taking a part of what is available leaves exactly the rest', () => {
    check(fc.tuple(story, offset, fc.nat({ max: 4 })), ([given, at, quarters]) => {
      const outlook = outlookOf(given);
      const { available } = looked(outlook)[at]!;
      const taken = (available * BigInt(quarters)) / 4n;
      expect(looked(demanding(outlook, at, taken))[at]!.available).toBe(available - taken);
    });
  });

  it('is what can be promised now when nothing is to come and nothing expires', () => {
    check(terms, (given) => {
      const outlook = outlookOf(given);
      expect(new Set(looked(outlook).map(({ available }) => available))).toEqual(
        new Set([availableToPromise(outlook satisfies AvailabilityTerms)]),
      );
    });
  });

  it('is never more than what is projected above the safety stock, and never negative', () => {
    check(story, (given) => {
      const outlook = outlookOf({ ...given, safetyPercent: 0 });
      for (const { projected, available } of looked(outlook)) {
        expect(available >= ZERO).toBe(true);
        expect(available <= maxQuantity(projected - safetyStock(outlook), ZERO)).toBe(true);
      }
    });
  });

  it('never falls from day to day when nothing expires', () => {
    check(story, (given) => {
      const days = looked(outlookOf({ ...given, expiries: {} }));
      for (const [index, { available }] of days.entries()) if (index > 0) expect(available >= days[index - 1]!.available).toBe(true);
    });
  });

  it('is no less when more is expected, or the same earlier, and no more when more is due', () => {
    check(fc.tuple(story, offset, fc.nat({ max: 9 }), fc.nat({ max: 3 })), ([given, at, n, earlier]) => {
      const outlook = outlookOf(given);
      const arriving = (day: number): Outlook => ({
        ...outlook,
        arrivals: [...outlook.arrivals, { day: dayAt(day), quantity: quantity(n) }],
      });
      const [less, more, sooner, due] = [outlook, arriving(at), arriving(at - earlier), demanding(outlook, at, quantity(n))].map(looked);
      for (let day = 0; day < HORIZON; day++) {
        expect(more![day]!.available >= less![day]!.available).toBe(true);
        expect(sooner![day]!.available >= more![day]!.available).toBe(true);
        expect(due![day]!.available <= less![day]!.available).toBe(true);
      }
    });
  });

  it('is told alike for fewer days, and never less then', () => {
    check(fc.tuple(story, fc.integer({ min: 1, max: HORIZON })), ([given, days]) => {
      const outlook = outlookOf(given);
      const long = looked(outlook);
      for (const [index, short] of project(outlook, TODAY, days).entries()) {
        expect(short).toMatchObject({ day: long[index]!.day, projected: long[index]!.projected });
        expect(short.available >= long[index]!.available).toBe(true);
      }
    });
  });

  it('a quantity is promised for the earliest day only when it is available then, and for no day before', () => {
    check(fc.tuple(story, fc.integer({ min: 1, max: 20 })), ([given, n]) => {
      const outlook = outlookOf(given);
      // Far enough to see all that is known.
      const days = project(outlook, TODAY, HORIZON + 5);
      const first = days.find(({ available }) => available >= quantity(n));
      const earliest = earliestDay(outlook, TODAY, quantity(n));
      expect([earliest?.day, earliest?.available]).toEqual([first?.day, first?.available]);
    });
  });
});
