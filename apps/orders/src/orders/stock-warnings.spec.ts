import { aLine, anOrder, someStock } from './order.fixture.js';
import { shortageWarnings } from './stock-warnings.js';

const attempt = (more: object = {}) => ({
  details: { lineNo: 1, itemId: 'a', warehouseId: 'main', requested: '10', available: '4', outcome: 'would_block', ...more },
});

describe('what would have been refused of an order', () => {
  it('is told by line, with what could be promised then', () => {
    expect(shortageWarnings(anOrder(), [attempt()])).toEqual([
      'Line 1, item a in main: of 10 only 4 could be promised; it would be refused if anything were enforced.',
    ]);
  });

  it('is what was said last of the line', () => {
    const earlier = attempt({ available: '9' });
    expect(shortageWarnings(anOrder(), [attempt(), earlier])).toEqual([expect.stringContaining('only 4')]);
    expect(shortageWarnings(anOrder(), [attempt({ outcome: 'refused' }), earlier])).toEqual([]);
  });

  it.each([
    ['asked for another quantity', anOrder(), attempt({ requested: '12' })],
    ['was about another item', anOrder(), attempt({ itemId: 'b' })],
    ['was about another line', anOrder({ lines: [aLine({ lineNo: 2 })] }), attempt()],
    ['has left', anOrder({ stock: [someStock({ fulfilled: 10 })] }), attempt()],
  ])('is nothing when what is on record %s', (_, order, recorded) => {
    expect(shortageWarnings(order, [recorded])).toEqual([]);
  });
});
