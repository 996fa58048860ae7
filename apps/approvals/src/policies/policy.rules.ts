import { APPROVAL_KINDS, type ApprovalKind, type ApprovalPolicy, type Magnitudes } from '#libs/contracts';
import { type FieldError, formatQuantity, parseQuantity } from '#libs/domain';

const HOURS = { remindAfterHours: 24, escalateAfterHours: 48, expireAfterHours: 168 };

/** What small exceptions may have at most, and who decides about them, unless an organisation says otherwise. */
const small = (kind: ApprovalKind): ApprovalPolicy => ({
  kind,
  maxPercent: '20',
  maxValue: '1000',
  requiredRole: 'inventory_manager',
  escalateTo: ['finance_manager'],
  ...HOURS,
});

/** Who decides about whatever no policy covers: also the end of every list that an organisation puts. */
const anyOther = (kind: ApprovalKind): ApprovalPolicy => ({ kind, requiredRole: 'finance_manager', escalateTo: ['admin'], ...HOURS });

/** What holds until an organisation puts policies of its own (docs/rules.md, "Approvals"). */
export const DEFAULT_POLICIES: readonly ApprovalPolicy[] = APPROVAL_KINDS.flatMap((kind) => [small(kind), anyOther(kind)]);

/** The first policy of the kind whose limits all hold. */
export function matchPolicy(policies: readonly ApprovalPolicy[], kind: ApprovalKind, magnitudes: Magnitudes): ApprovalPolicy {
  return policies.find((policy) => policy.kind === kind && covers(policy, magnitudes)) ?? anyOther(kind);
}

/** What is wrong with a list of policies beside the shape of its fields; empty when nothing is. */
export function checkPolicies(policies: readonly ApprovalPolicy[]): FieldError[] {
  return policies.flatMap((policy, index) => {
    const { requiredRole, escalateTo, remindAfterHours, escalateAfterHours, expireAfterHours } = policy;
    const errors: FieldError[] = [];
    const complain = (field: string, message: string) => errors.push({ path: `${index}.${field}`, message });
    if (escalateTo.includes(requiredRole)) complain('escalateTo', `must not name ${requiredRole}, who may decide from the beginning`);
    if (remindAfterHours >= expireAfterHours) complain('remindAfterHours', 'must be less than expireAfterHours');
    if (escalateTo.length > 0 && escalateAfterHours >= expireAfterHours)
      complain('escalateAfterHours', 'must be less than expireAfterHours');
    const wider = policies.slice(0, index).findIndex((earlier) => isWithin(policy, earlier));
    if (wider >= 0) complain('kind', `never counts, because policy ${wider} before it covers all that it covers`);
    return errors;
  });
}

/** The same policies with their limits written one way, so that equal lists are equal. */
export function normalised(policies: readonly ApprovalPolicy[]): ApprovalPolicy[] {
  return policies.map(
    ({ kind, maxQuantity, maxPercent, maxValue, requiredRole, escalateTo, remindAfterHours, escalateAfterHours, expireAfterHours }) => ({
      kind,
      ...(maxQuantity === undefined ? {} : { maxQuantity: shortest(maxQuantity) }),
      ...(maxPercent === undefined ? {} : { maxPercent: shortest(maxPercent) }),
      ...(maxValue === undefined ? {} : { maxValue: shortest(maxValue) }),
      ...{ requiredRole, escalateTo, remindAfterHours, escalateAfterHours, expireAfterHours },
    }),
  );
}

const LIMITS = { maxQuantity: 'quantity', maxPercent: 'percent', maxValue: 'value' } as const;
type Limit = keyof typeof LIMITS;
const limits = Object.keys(LIMITS) as Limit[];

function covers(policy: ApprovalPolicy, magnitudes: Magnitudes): boolean {
  return limits.every((limit) => isUpTo(magnitudes[LIMITS[limit]], policy[limit]));
}

/**
 * Whether whatever `policy` covers is covered by `other`. Comparing them two by two is enough: what a policy covers has one corner where
 * all is as large as it may be, and whoever covers that corner covers all of it.
 */
function isWithin(policy: ApprovalPolicy, other: ApprovalPolicy): boolean {
  return policy.kind === other.kind && limits.every((limit) => isUpTo(policy[limit] ?? null, other[limit]));
}

/** Null is without bound, and so above any limit; no limit covers everything. */
function isUpTo(size: string | null, limit: string | undefined): boolean {
  return limit === undefined || (size !== null && parseQuantity(size) <= parseQuantity(limit));
}

const shortest = (decimal: string) => formatQuantity(parseQuantity(decimal));
