import { GivenStock, finds, wants } from '../stock-machine/simulation/given-stock.js';

describe('findings of reconciliation', () => {
  it('open a discrepancy each, as severe as they differ, which keeps back what is in doubt', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    expect(given.answer(finds('W1/A', '10 7'))).toEqual({
      findings: [{ findingKey: 'W1/A', discrepancyId: expect.any(String), isNew: true }],
    });
    expect(given.said()).toMatchObject([
      {
        type: 'DiscrepancyOpened',
        data: {
          ...{ itemId: 'A', warehouseId: 'W1', ledgerQuantity: '10', snapshotQuantity: '7', difference: '-3', status: 'new' },
          ...{
            severity: 'critical',
            source: 'reconciliation_job',
            refType: 'reconciliation',
            refId: 'run',
            ownerRole: 'inventory_manager',
          },
        },
      },
    ]);
    expect(given.when(wants('o', { 1: 'A 8' }))).toMatchObject({ answer: { status: 'failed' } });
    expect(given.when(wants('o', { 1: 'A 7' }))).toMatchObject({ answer: { status: 'reserved' } });
  });

  it('that are open already are the same, also twice in one run', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const { findings } = finds('W1/A', '10 9');
    const { findings: first } = given.answer<{ findings: { discrepancyId: string }[] }>({
      ...finds('W1/A', '10 9'),
      findings: [...findings, ...findings],
    });
    const known = { findingKey: 'W1/A', discrepancyId: first[0]!.discrepancyId, isNew: false };
    expect(first[1]).toEqual(known);
    expect(given.answer(finds('W1/A', '10 8'))).toEqual({ findings: [known] });
    expect(given.saidTypes()).toEqual(['DiscrepancyOpened']);
  });

  it('about money or numbers keep nothing back: they are no quantities of stock', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const [finding] = finds('W1/A', '100 1').findings;
    given.answer({ ...finds('W1/A', ''), findings: [{ ...finding!, kind: 'layer_value' }] });
    expect(given.said()).toMatchObject([{ type: 'DiscrepancyOpened', data: { severity: 'medium', difference: '-99' } }]);
    expect(given.when(wants('o', { 1: 'A 10' }))).toMatchObject({ answer: { status: 'reserved' } });
  });

  it('may be about an order as a whole, or about what does not exist any more', () => {
    const given = new GivenStock({});
    const [finding] = finds('W1/A', '3 2').findings;
    given.answer({ ...finds('W1/A', ''), findings: [{ ...finding!, warehouseId: null, orderId: 'o' }] });
    given.answer(finds('W9/X', '3 2'));
    expect(given.said()).toMatchObject([{ data: { warehouseId: null, orderId: 'o' } }, { data: { itemId: 'X', warehouseId: null } }]);
  });
});
