import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { APPROVAL_KINDS, type ApprovalPolicy, APPROVER_ROLES, type Magnitudes } from '#libs/contracts';
import { checkPolicies, DEFAULT_POLICIES, matchPolicy, normalised } from './policy.rules.js';

const policy = (said: Partial<ApprovalPolicy> = {}): ApprovalPolicy => ({
  kind: 'adjustment',
  requiredRole: 'inventory_manager',
  escalateTo: ['finance_manager'],
  remindAfterHours: 24,
  escalateAfterHours: 48,
  expireAfterHours: 168,
  ...said,
});
const size = (quantity: string | null, percent: string | null, value: string | null): Magnitudes => ({ quantity, percent, value });

// Few different sizes, so that limits are met exactly, and undercut, often.
const decimal = fc.constantFrom('0', '0.0001', '1', '1.5', '20', '20.0000', '999.9999', '1000', '999999999999.9999');
const magnitudes = fc.record({
  quantity: fc.option(decimal),
  percent: fc.option(decimal),
  value: fc.option(decimal),
});
const anyPolicy = fc
  .record(
    {
      kind: fc.constantFrom(...APPROVAL_KINDS.slice(0, 2)),
      maxQuantity: decimal,
      maxPercent: decimal,
      maxValue: decimal,
      requiredRole: fc.constantFrom(...APPROVER_ROLES),
    },
    { requiredKeys: ['kind', 'requiredRole'] },
  )
  .map((said) => policy({ ...said, escalateTo: [] }));
const anyPolicies = fc.array(anyPolicy, { maxLength: 8 });

/** Whether all limits hold, by another arithmetic than that of the rule. */
function holds(limits: ApprovalPolicy, sizes: Magnitudes): boolean {
  const within = (limit: string | undefined, amount: string | null) =>
    limit === undefined || (amount !== null && new Decimal(amount).lte(new Decimal(limit)));
  return within(limits.maxQuantity, sizes.quantity) && within(limits.maxPercent, sizes.percent) && within(limits.maxValue, sizes.value);
}

describe('the policy of a request', () => {
  it.each([
    ['small', size('5', '20', '1000'), 'inventory_manager'],
    ['a little over the percentage', size('5', '20.0001', '1'), 'finance_manager'],
    ['a little over the value', size('5', '1', '1000.0001'), 'finance_manager'],
    ['of any quantity', size('999999999999', '1', '1'), 'inventory_manager'],
    ['of a percentage without bound', size('5', null, '1'), 'finance_manager'],
    ['of an unknown value', size('5', '1', null), 'finance_manager'],
  ])('is by default for who is named, when it is %s', (_, sizes, requiredRole) => {
    for (const kind of APPROVAL_KINDS) expect(matchPolicy(DEFAULT_POLICIES, kind, sizes)).toMatchObject({ kind, requiredRole });
  });

  it('reminds after a day, escalates after two, expires after a week unless said otherwise', () => {
    for (const each of DEFAULT_POLICIES)
      expect(each).toMatchObject({ remindAfterHours: 24, escalateAfterHours: 48, expireAfterHours: 168 });
    expect(checkPolicies(DEFAULT_POLICIES)).toEqual([]);
  });

  it('is the first of its kind whose limits all hold, whatever the policies and the sizes', () => {
    fc.assert(
      fc.property(anyPolicies, magnitudes, fc.constantFrom(...APPROVAL_KINDS.slice(0, 3)), (policies, sizes, kind) => {
        const matched = matchPolicy(policies, kind, sizes);
        const expected = policies.filter((each) => each.kind === kind).find((each) => holds(each, sizes));
        if (expected === undefined) expect(matched).toMatchObject({ kind, requiredRole: 'finance_manager', escalateTo: ['admin'] });
        else expect(matched).toBe(expected);
      }),
    );
  });
});

describe('a list of policies', () => {
  it.each<[string, ApprovalPolicy[], object[]]>([
    ['nothing', [], []],
    ['one limit after the other', [policy({ maxValue: '10' }), policy({ maxValue: '100' }), policy()], []],
    ['the same limits for another kind', [policy(), policy({ kind: 'order_override' })], []],
    ['limits of another sort', [policy({ maxValue: '10' }), policy({ maxPercent: '10' })], []],
    ['no successors, whatever the hours', [policy({ escalateTo: [], escalateAfterHours: 8_760 })], []],
  ])('may have %s', (_, policies, errors) => expect(checkPolicies(policies)).toEqual(errors));

  it.each<[string, ApprovalPolicy[], string]>([
    ['one that a wider one before it covers', [policy({ maxValue: '10' }), policy({ maxValue: '10.0', maxPercent: '5' })], '1.kind'],
    ['anything after one without limits', [policy(), policy({ maxValue: '10' })], '1.kind'],
    ['the required role among its own successors', [policy({ escalateTo: ['admin', 'inventory_manager'] })], '0.escalateTo'],
    ['a reminder that never comes', [policy({ remindAfterHours: 168 })], '0.remindAfterHours'],
    ['an escalation that never comes', [policy({ escalateAfterHours: 168 })], '0.escalateAfterHours'],
  ])('may not have %s', (_, policies, path) => expect(checkPolicies(policies)).toEqual([{ path, message: expect.any(String) }]));

  it('is accepted exactly when each of its policies is the one for some request', () => {
    fc.assert(
      fc.property(anyPolicies, fc.array(magnitudes, { maxLength: 30 }), (policies, samples) => {
        const idle = new Set(checkPolicies(policies).map(({ path }) => Number(path.split('.')[0])));
        policies.forEach((each, index) => {
          const largest = size(each.maxQuantity ?? null, each.maxPercent ?? null, each.maxValue ?? null);
          if (!idle.has(index)) expect(matchPolicy(policies, each.kind, largest)).toBe(each);
          else for (const sizes of [largest, ...samples]) expect(matchPolicy(policies, each.kind, sizes)).not.toBe(each);
        });
      }),
    );
  });

  it('is kept as it was put, its limits written the shortest way', () => {
    expect(normalised([policy({ maxValue: '10.5000', maxPercent: '0' })])).toEqual([policy({ maxValue: '10.5', maxPercent: '0' })]);
    expect(Object.keys(normalised([policy()])[0]!)).not.toContain('maxValue');
  });
});
