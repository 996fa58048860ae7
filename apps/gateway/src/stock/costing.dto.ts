import { COMMAND_LINES_MAX } from '#libs/contracts';
import { DecimalField, IdField, ListField, TextField, TimestampField } from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

const optional = { optional: true } as const;

export class CostCorrectionLine {
  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @IdField({ ...optional, description: 'None: all lots of the item that the receipt brought.', example: 'L-2026-03' })
  lot?: string;

  @DecimalField('zero or more', { ...optional, description: 'What one unit did cost.', example: '4.5' })
  unitCost?: string;

  @DecimalField('any', {
    ...optional,
    description: 'Freight, duty and the like for all of them together, in addition to what was told before; below zero it takes back.',
    example: '25',
  })
  landedCost?: string;
}

export class NewCostCorrection {
  @IdField({ example: 'receipt-1' })
  receiptId: string;

  @TextField(500, { ...optional, example: 'Invoice 1234' })
  reason?: string;

  @ListField(() => CostCorrectionLine, COMMAND_LINES_MAX)
  lines: CostCorrectionLine[];
}

export class ValuationQuery extends PageQuery {
  @IdField(optional)
  itemId?: string;

  @IdField(optional)
  warehouseId?: string;

  @TimestampField({ ...optional, description: 'As it was recorded by then; without cost layers.' })
  asOf?: string;
}
