import type { ExpectedReceiptStatus } from '#libs/contracts';
import { ChoiceField, DateField, DecimalField, IdField, TextField } from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

const STATUSES = ['open', 'received', 'cancelled'] as const satisfies ExpectedReceiptStatus[];
const optional = { optional: true } as const;

export class NewExpectedReceipt {
  @IdField({ ...optional, description: 'A repeat with the same id and body has no second effect.', example: 'po-4711-1' })
  expectedReceiptId?: string;

  @IdField({ example: 'berlin' })
  warehouseId: string;

  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @DecimalField('positive', { example: '100' })
  quantity: string;

  @DateField({ example: '2026-03-15' })
  expectedOn: string;

  @TextField(200, { ...optional, example: 'Purchase order 4711' })
  reference?: string;
}

export class ExpectedReceiptChange {
  @DecimalField('positive', { ...optional, description: 'In all, with what has come already.', example: '80' })
  quantity?: string;

  @DateField({ ...optional, example: '2026-03-20' })
  expectedOn?: string;

  @TextField(200, { ...optional, nullable: true, example: 'Purchase order 4711' })
  reference?: string | null;
}

export class ExpectedReceiptsQuery extends PageQuery {
  @IdField(optional)
  warehouseId?: string;

  @IdField(optional)
  itemId?: string;

  @ChoiceField(STATUSES, optional)
  status?: ExpectedReceiptStatus;

  @DateField({ ...optional, description: 'Expected on this day or later.' })
  expectedFrom?: string;

  @DateField({ ...optional, description: 'Expected on this day or earlier.' })
  expectedTo?: string;
}
