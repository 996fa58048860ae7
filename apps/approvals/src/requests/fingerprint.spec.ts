import { fingerprintOf } from './fingerprint.js';
import { aRequest } from './request.fixture.js';

const base = aRequest();
const same = (said: Partial<typeof base>) => fingerprintOf({ ...base, ...said }) === fingerprintOf(base);

describe('the fingerprint of what is to be approved', () => {
  it('is the same however it is written, whoever asks, and whatever the stock is meanwhile', () => {
    const [line] = base.lines;
    expect(same({ lines: [{ ...Object.fromEntries(Object.entries(line!).reverse()), quantity: '3.000' } as typeof line & object] })).toBe(
      true,
    );
    expect(same({ magnitudes: { value: '60.0', percent: '15.00', quantity: '3' } })).toBe(true);
    expect(same({ warehouses: ['w2', 'w1'] })).toBe(true);
    expect(same({ requestedBy: 'somebody else', reason: 'another', availabilitySnapshot: { available: '0' } })).toBe(true);
  });

  it('is another one for anything else', () => {
    const [line] = base.lines;
    expect(same({ lines: [{ ...line!, quantity: '3.0001' }] })).toBe(false);
    expect(same({ lines: [{ ...line!, itemId: 'b' }] })).toBe(false);
    expect(same({ lines: [line!, line!] })).toBe(false);
    expect(same({ magnitudes: { ...base.magnitudes, percent: null } })).toBe(false);
    expect(same({ warehouses: null })).toBe(false);
    expect(same({ kind: 'movement_override' })).toBe(false);
    expect(same({ command: { sequence: 2 } })).toBe(false);
  });

  it('tells ids apart that look like the same decimal', () => {
    const [line] = base.lines;
    const of = (itemId: string) => fingerprintOf({ ...base, lines: [{ ...line!, itemId }] });
    expect(of('1')).not.toBe(of('1.0'));
  });
});
