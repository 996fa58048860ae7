import {
  APPROVAL_KINDS,
  APPROVAL_STATUSES,
  type ApprovalKind,
  type ApprovalStatus,
  APPROVER_ROLES,
  type ApproverRole,
} from '#libs/contracts';
import { ChoiceField, ChoicesField, DecimalField, IdField, IntegerField, QueryFlag, TextField, TimestampField } from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

const YEAR_HOURS = 8_760;
const optional = { optional: true } as const;
const optionalLimit = { optional: true, nullable: true } as const;

export class ApprovalsQuery extends PageQuery {
  @ChoiceField(APPROVAL_STATUSES, optional)
  status?: ApprovalStatus;

  @QueryFlag({ description: 'Those that wait for a decision; false: those that are over.' })
  open?: boolean;

  @ChoiceField(APPROVAL_KINDS, optional)
  kind?: ApprovalKind;

  @ChoiceField(APPROVER_ROLES, optional)
  requiredRole?: ApproverRole;

  @TextField(200, { ...optional, example: 'ann' })
  requestedBy?: string;

  @IdField({ ...optional, example: 'order' })
  subjectType?: string;

  @IdField({ ...optional, example: 'order-1' })
  subjectId?: string;

  @TimestampField(optional)
  from?: string;

  @TimestampField(optional)
  to?: string;
}

/** What somebody says who approves or rejects. */
export class Decision {
  @TextField(500, { lengthMin: 1, example: 'The truck comes tomorrow' })
  reason: string;
}

export class PolicyEntry {
  @ChoiceField(APPROVAL_KINDS, { example: 'order_override' })
  kind: ApprovalKind;

  @DecimalField('zero or more', { ...optionalLimit, example: '50' })
  maxQuantity?: string | null;

  @DecimalField('zero or more', { ...optionalLimit, example: '20' })
  maxPercent?: string | null;

  @DecimalField('zero or more', { ...optionalLimit, description: "In the organisation's currency.", example: '1000' })
  maxValue?: string | null;

  @ChoiceField(APPROVER_ROLES, { example: 'inventory_manager' })
  requiredRole: ApproverRole;

  @ChoicesField(APPROVER_ROLES, { description: 'Who may decide as well once it is escalated; empty: never.', example: ['finance_manager'] })
  escalateTo: ApproverRole[];

  @IntegerField(1, YEAR_HOURS, { example: 24 })
  remindAfterHours: number;

  @IntegerField(1, YEAR_HOURS, { example: 48 })
  escalateAfterHours: number;

  @IntegerField(1, YEAR_HOURS, { example: 168 })
  expireAfterHours: number;
}
