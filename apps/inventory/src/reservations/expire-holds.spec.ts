import { cancels, expires, GivenStock, receives, ships, wants } from '../stock-machine/simulation/given-stock.js';

const soft = { firm: false, ttlSeconds: 60 };

describe('expiry of soft holds', () => {
  it('gives back what is held, tells so, and serves whoever waits', () => {
    const given = new GivenStock({ 'W1/A': '5' });
    given.when(wants('o1', { 1: 'A 4' }, soft));
    given.when(wants('o2', { 1: 'A 3' }, { mode: 'partial' }));
    given.said();
    given.pass(60);
    expect(given.answer(expires('o1'))).toEqual({ expired: true });
    expect(given.order('o1')).toEqual({ state: 'expired', firm: false, lines: { 1: 'A 4: 4 unheld' } });
    expect(given.order('o2')!.lines).toEqual({ 1: 'A 3: 3 reserved' });
    expect(given.said()).toMatchObject([
      {
        type: 'ReservationExpired',
        subject: 'o1',
        data: { orderId: 'o1', lines: [{ lineNo: 1, itemId: 'A', warehouseId: 'W1', quantity: '4' }] },
      },
      { type: 'BackorderFilled', subject: 'o2' },
    ]);
  });

  it('does nothing before the time, and nothing twice', () => {
    const given = new GivenStock({ 'W1/A': '5' });
    given.when(wants('o1', { 1: 'A 4' }, soft));
    given.pass(59.999);
    expect(given.answer(expires('o1'))).toEqual({ expired: false });
    given.pass(0.001);
    expect(given.batch(expires('o1'), expires('o1')).map((outcome) => 'answer' in outcome && outcome.answer)).toEqual([
      { expired: true },
      { expired: false },
    ]);
    expect(given.answer(expires('o1'))).toEqual({ expired: false });
  });

  it.each([
    ['was confirmed', wants('o1', { 1: 'A 4' }, { firm: true })],
    ['waits for an approval', wants('o1', { 1: 'A 4' }, { firm: false, pendingApproval: true })],
    ['was prolonged', wants('o1', { 1: 'A 4' }, { firm: false, ttlSeconds: 600 })],
    ['was cancelled', cancels('o1')],
  ])('spares an order that %s meanwhile', (_, command) => {
    const given = new GivenStock({ 'W1/A': '5' });
    given.when(wants('o1', { 1: 'A 4' }, soft));
    given.when(command);
    given.pass(61);
    expect(given.answer(expires('o1'))).toEqual({ expired: false });
  });

  it('is no matter for an order that nobody knows', () => {
    expect(new GivenStock({}).answer(expires('unknown'))).toEqual({ expired: false });
  });

  it('ends waiting too, and keeps what was shipped', () => {
    const given = new GivenStock({ 'W1/A': '3' });
    given.when(wants('o1', { 1: 'A 5' }, { ...soft, mode: 'partial' }));
    given.when(ships('s1', 'o1', { 1: 'A 1' }));
    given.pass(61);
    given.when(expires('o1'));
    given.when(receives('r1', 'W1', { A: '10' }));
    expect(given.order('o1')).toEqual({ state: 'expired', firm: false, lines: { 1: 'A 5: 1 fulfilled, 4 unheld' } });
    expect(given.at('W1/A')).toBe('12 on hand');
  });
});
