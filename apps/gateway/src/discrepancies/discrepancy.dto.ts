import {
  APPROVER_ROLES,
  type ApproverRole,
  DISCREPANCY_SEVERITIES,
  DISCREPANCY_SOURCES,
  DISCREPANCY_STATUSES,
  type DiscrepancySeverity,
  type DiscrepancySource,
  type DiscrepancyStatus,
} from '#libs/contracts';
import { BooleanField, ChoiceField, DecimalField, IdField, QueryFlag, TextField, TimestampField } from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

const optional = { optional: true } as const;

export class DiscrepanciesQuery extends PageQuery {
  @ChoiceField(DISCREPANCY_STATUSES, optional)
  status?: DiscrepancyStatus;

  @QueryFlag({ description: 'Those that wait for a decision; false: those that are over.' })
  open?: boolean;

  @ChoiceField(DISCREPANCY_SEVERITIES, optional)
  severity?: DiscrepancySeverity;

  @ChoiceField(DISCREPANCY_SOURCES, optional)
  source?: DiscrepancySource;

  @IdField({ ...optional, example: 'coffee-1kg' })
  itemId?: string;

  @IdField({ ...optional, example: 'berlin' })
  warehouseId?: string;

  @IdField({ ...optional, example: 'order-1' })
  orderId?: string;

  @ChoiceField(APPROVER_ROLES, optional)
  ownerRole?: ApproverRole;

  @TextField(200, { ...optional, example: 'ann' })
  assignedTo?: string;

  @TimestampField({ ...optional, description: 'Noticed then or later.' })
  from?: string;

  @TimestampField({ ...optional, description: 'Noticed before.' })
  to?: string;
}

export class NewDiscrepancy {
  @IdField({ example: 'berlin' })
  warehouseId: string;

  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @IdField({ ...optional, description: 'Of one lot; else of all of the item.', example: 'L-2026-03' })
  lot?: string;

  @IdField({ ...optional, description: 'In one bin; else wherever it lies in the warehouse.', example: 'A-01' })
  location?: string;

  @DecimalField('zero or more', { description: 'How much is there, of whatever quality.', example: '94' })
  snapshotQuantity: string;

  @ChoiceField(DISCREPANCY_SEVERITIES, { ...optional, description: 'By the percentage that it differs by unless said.' })
  severity?: DiscrepancySeverity;

  @TextField(500, { lengthMin: 1, example: 'The upper shelf is half empty' })
  note: string;
}

export class Review {
  @TextField(200, { ...optional, lengthMin: 1, description: 'Who looks at it.', example: 'bob' })
  assignedTo?: string;
}

export class Dismissal {
  @TextField(500, { lengthMin: 1, example: 'Found behind the door' })
  note: string;
}

export class OverrideRequest {
  @TextField(500, { lengthMin: 1, example: 'The goods stand in front of me' })
  reason: string;
}

export class Resolution extends Dismissal {
  @BooleanField({ description: 'Whether the difference is posted, so that the books say what was seen.', example: true })
  adjust: boolean;
}
