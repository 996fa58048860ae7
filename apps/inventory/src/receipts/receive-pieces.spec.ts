import { adjusts, GivenStock, inspects, keeps, puts, returns, ships, unships, wants } from '../stock-machine/simulation/given-stock.js';

const items = { A: { tracking: 'serial' } } as const;
const given = (...pieces: readonly string[]) => {
  const stock = new GivenStock({}, { items });
  stock.when(puts('opening', 'W1', ...pieces.map((piece) => `A 1 #${piece}`)));
  stock.said();
  return stock;
};

describe('a piece with a serial number', () => {
  it('exists once, in whichever warehouse, until it has left', () => {
    const stock = given('s1');
    expect(stock.when(puts('again', 'W2', 'A 1 #s1'))).toMatchObject({ kind: 'error', error: { code: 'SERIAL_EXISTS' } });
    expect(stock.when(puts('twice', 'W2', 'A 1 #s2', 'A 1 #s2'))).toMatchObject({ kind: 'error', error: { code: 'SERIAL_EXISTS' } });
    expect(stock.when(adjusts('W2/A #s1', '1 found'))).toMatchObject({ kind: 'error', error: { code: 'SERIAL_EXISTS' } });
    stock.when(ships('ship', 'o', { 1: 'A 1 @W1 #s1' }));
    expect(stock.when(puts('back', 'W2', 'A 1 #s1'))).toMatchObject({ kind: 'answer' });
    expect(stock.quants('W2/A')).toEqual(['#s1 available: 1']);
  });

  it('is one piece', () => {
    const stock = given('s1');
    expect(stock.when(puts('two', 'W1', 'A 2 #s3'))).toMatchObject({ kind: 'error', error: { code: 'STOCK_VALIDATION' } });
    expect(stock.when(puts('none', 'W1', 'A 1'))).toMatchObject({ kind: 'error', error: { code: 'STOCK_VALIDATION' } });
    expect(stock.answer(wants('half', { 1: 'A 0.5' }))).toMatchObject({ status: 'failed', reason: 'INVALID_STATE' });
    expect(stock.answer(ships('half', 'o', { 1: 'A 0.5 @W1' }))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
    stock.when(ships('whole', 'o', { 1: 'A 1 @W1 #s1' }));
    expect(stock.answer(returns('half', 'o', { 1: 'A 0.5' }))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
    stock.when(returns('whole', 'o', { 1: 'A 1' }));
    expect(stock.answer(inspects('whole', 'o', { 1: '0.5 damaged' }))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
  });

  it('is not promised in part, when the safety stock leaves a part', () => {
    const stock = given('s1', 's2');
    stock.when(keeps('W1/A', { safetyQuantity: '0.5' }));
    stock.when(wants('o', { 1: 'A 2' }, { mode: 'partial' }));
    expect(stock.order('o')!.lines).toEqual({ 1: 'A 2: 1 reserved, 1 backordered' });
  });

  it('that came in again is not brought back by the cancellation of its shipment, nor by a second return', () => {
    const stock = given('s1');
    stock.when(ships('ship', 'o', { 1: 'A 1 @W1 #s1' }));
    stock.when(puts('back', 'W2', 'A 1 #s1'));
    expect(stock.answer(unships('ship', 'o'))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
    expect(stock.answer(returns('ret', 'o', { 1: 'A 1' }))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
  });
});
