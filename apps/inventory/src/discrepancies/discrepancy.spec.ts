import type { Role } from '#libs/contracts';
import { parseQuantity } from '#libs/domain';
import { authoriseKeeper, isTolerated, raisesDoubt, severityOf } from './discrepancy.js';

const percents = [parseQuantity('2'), parseQuantity('5'), parseQuantity('20')] as const;
const found = (snapshot: string, ledger: string) => ({ snapshotQuantity: parseQuantity(snapshot), ledgerQuantity: parseQuantity(ledger) });

it.each([
  ['100', '100', 'low'],
  ['102', '100', 'low'],
  ['102.0001', '100', 'medium'],
  ['95', '100', 'medium'],
  ['94.9999', '100', 'high'],
  ['80', '100', 'high'],
  ['120.0001', '100', 'critical'],
  ['1', '0', 'critical'],
  ['0', '0', 'low'],
  ['-3', '-3', 'low'],
  ['-4', '-3', 'critical'],
] as const)('%s counted of %s is %s', (snapshot, ledger, severity) => {
  expect(severityOf(found(snapshot, ledger), percents)).toBe(severity);
});

it.each([
  ['98', '100', '2', '0', true],
  ['97.9999', '100', '2', '0', false],
  ['97', '100', '0', '3', true],
  ['97', '100', '2', '2', false],
  ['1', '0', '0', '100', false],
  ['100', '100', '0', '0', true],
])('%s counted of %s, with a tolerance of %s or %s%%, is tolerated: %s', (snapshot, ledger, quantity, percent, tolerated) => {
  expect(isTolerated(found(snapshot, ledger), { quantity: parseQuantity(quantity), percent: parseQuantity(percent) })).toBe(tolerated);
});

it('keeps stock back for high and critical differences, never for refusals', () => {
  expect(raisesDoubt({ severity: 'high', source: 'count' })).toBe(true);
  expect(raisesDoubt({ severity: 'critical', source: 'reconciliation_job' })).toBe(true);
  expect(raisesDoubt({ severity: 'medium', source: 'count' })).toBe(false);
  expect(raisesDoubt({ severity: 'critical', source: 'blocked_transaction' })).toBe(false);
});

describe('who decides', () => {
  const detectedAt = new Date('2026-03-01T08:00:00Z');
  const hoursLater = (hours: number) => new Date(detectedAt.getTime() + hours * 3_600_000);
  const decides = (role: Role, severity: 'medium' | 'high' | 'critical', hours: number) => {
    try {
      authoriseKeeper({ roles: [role] }, { severity, detectedAt }, hoursLater(hours));
      return true;
    } catch (error) {
      expect(error).toMatchObject({ kind: 'forbidden', code: 'FORBIDDEN' });
      return false;
    }
  };

  it('is the inventory manager, at once and about all', () => {
    expect(decides('inventory_manager', 'medium', 0)).toBe(true);
    expect(decides('inventory_manager', 'critical', 100)).toBe(true);
  });

  it('is the finance manager, too, when a severe one has waited for a day', () => {
    expect(decides('finance_manager', 'high', 23.9)).toBe(false);
    expect(decides('finance_manager', 'high', 24)).toBe(true);
    expect(decides('finance_manager', 'critical', 25)).toBe(true);
    expect(decides('finance_manager', 'medium', 100)).toBe(false);
  });

  it('is nobody else', () => {
    expect(decides('warehouse', 'critical', 100)).toBe(false);
    expect(decides('auditor', 'critical', 100)).toBe(false);
  });
});
