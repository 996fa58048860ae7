import { MemoryStock } from '../stock-machine/simulation/memory-stock.js';
import {
  byCall,
  cancels,
  GivenStock,
  keeps,
  ORG,
  receives,
  returns,
  inspects,
  ships,
  wants,
} from '../stock-machine/simulation/given-stock.js';

const waits = (orderId: string, quantity: string, priority = 50) => wants(orderId, { 1: `A ${quantity}` }, { mode: 'partial', priority });

describe('backorders', () => {
  it('are served by priority, then by time of acceptance, in parts if need be', () => {
    const given = new GivenStock({});
    given.when(waits('first', '2'));
    given.pass(1);
    given.when(waits('second', '2'));
    given.pass(1);
    given.when(waits('urgent', '2', 90));
    given.when(receives('r1', 'W1', { A: '5' }));
    expect(['urgent', 'first', 'second'].map((order) => given.order(order)!.lines[1])).toEqual([
      'A 2: 2 reserved',
      'A 2: 2 reserved',
      'A 2: 1 reserved, 1 backordered',
    ]);
  });

  it('of one order are told together, after the event that set stock free', () => {
    const given = new GivenStock({});
    given.when(wants('o1', { 1: 'A 2', 2: 'B 1', 3: 'A 1' }, { mode: 'partial' }));
    given.said();
    given.when(receives('r1', 'W1', { A: '5', B: '5' }, { meta: { messageId: 'm1', causationId: 'cause', mayWait: false } }));
    const lines = [{ lineNo: 1, quantity: '2' }, { lineNo: 3 }, { lineNo: 2 }];
    expect(given.said()).toMatchObject([
      { type: 'StockReceived' },
      { type: 'BackorderFilled', subject: 'o1', causationid: 'cause', data: { lines } },
    ]);
  });

  it('never take from a hold, nor from the safety stock', () => {
    const given = new GivenStock({ 'W1/A': '5' }, { items: { A: { safetyStock: '2' } } });
    given.when(wants('o1', { 1: 'A 3' }));
    given.when(waits('urgent', '5', 100));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 3: 3 reserved' });
    given.when(receives('r1', 'W1', { A: '1' }));
    expect(given.order('urgent')!.lines).toEqual({ 1: 'A 5: 1 reserved, 4 backordered' });
    expect(given.at('W1/A')).toBe('6 on hand, 4 reserved, 4 backordered');
  });

  it.each<[string, (given: GivenStock) => void]>([
    ['a cancelled order', (given) => given.when(cancels('holder'))],
    ['a smaller order', (given) => given.when(wants('holder', { 1: 'A 4' }))],
    ['a receipt', (given) => given.when(receives('r1', 'W1', { A: '1' }))],
    ['a lower safety stock', (given) => given.when(keeps('W1/A', { safetyQuantity: '0' }))],
    ['a line that is closed short', (given) => given.when(ships('s1', 'holder', { 1: 'A 4' }, { closeShortLines: true }))],
    [
      'a return that passed inspection',
      (given) => {
        given.when(ships('s1', 'holder', { 1: 'A 5' }));
        given.when(returns('b1', 'holder', { 1: 'A 1' }));
        expect(given.order('waiting')!.lines).toEqual({ 1: 'A 1: 1 backordered' });
        given.when(inspects('b1', 'holder', { 1: '1 available' }));
      },
    ],
  ])('are served by %s', (_, free) => {
    const given = new GivenStock({ 'W1/A': '6' }, { items: { A: { safetyStock: '1' } } });
    given.when(wants('holder', { 1: 'A 5' }));
    given.when(waits('waiting', '1'));
    free(given);
    expect(given.order('waiting')!.lines).toEqual({ 1: 'A 1: 1 reserved' });
  });

  it('are served by a shipment, where the safety stock is a part of what is there', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(keeps('W1/A', { safetyPercent: '20' }));
    given.when(wants('holder', { 1: 'A 5' }));
    given.when(waits('waiting', '4'));
    expect(given.order('waiting')!.lines).toEqual({ 1: 'A 4: 3 reserved, 1 backordered' });
    given.when(ships('s1', 'holder', { 1: 'A 5' }));
    expect(given.order('waiting')!.lines).toEqual({ 1: 'A 4: 4 reserved' });
  });

  it('are gone on with in chunks, where more wait than one batch serves', () => {
    const stock = new MemoryStock({ filledPerBatchMax: 3, holdsPerBalance: 2, quantsPerBalance: 50, layersPerBalance: 50 });
    stock.warehouses.set(ORG, [{ warehouseId: 'W1', priority: 1 }]);
    stock.items.set(`${ORG}/A`, { safetyStock: null, reorderPoint: null });
    for (let n = 0; n < 8; n++) stock.runBatch([{ command: waits(`o${n}`, '1') }]);
    const open = () => [...stock.demands.values()].filter((row) => row.lines[0]!.backordered > 0n).map((row) => row.orderId);
    const unserved: number[] = [];
    const watch = { before: () => {}, after: (state: { unserved: ReadonlySet<unknown> }) => void unserved.push(state.unserved.size) };
    stock.runBatch([{ command: receives('r1', 'W1', { A: '8' }) }], watch);
    expect(open()).toEqual(['o3', 'o4', 'o5', 'o6', 'o7']);
    const fill = { kind: 'fill-backorders', orgId: ORG, warehouseId: 'W1', itemId: 'A', meta: byCall() } as const;
    stock.runBatch([{ command: fill }], watch);
    expect(open()).toEqual(['o6', 'o7']);
    stock.runBatch([{ command: fill }], watch);
    expect(open()).toEqual([]);
    stock.runBatch([{ command: fill }], watch);
    expect(unserved).toEqual([1, 1, 0, 0]);
  });
});
