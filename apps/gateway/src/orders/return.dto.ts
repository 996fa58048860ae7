import { COMMAND_LINES_MAX } from '#libs/contracts';
import { ChoiceField, DecimalField, IdField, IntegerField, ListField, TextField } from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

const CONDITIONS = ['resellable', 'damaged', 'unknown'] as const;
const VERDICTS = ['available', 'damaged', 'quarantined', 'scrap'] as const;
const RETURN_STATUSES = ['authorised', 'received', 'partially_inspected', 'completed', 'cancelled'] as const;
const LINE_NO_MAX = 1_000_000;
const optional = { optional: true } as const;

class ReturnLine {
  @IntegerField(1, LINE_NO_MAX, { example: 1 })
  lineNo: number;

  @DecimalField('positive', { example: '1' })
  quantity: string;

  @IdField(optional)
  lot?: string;
}

class NewReturnLine extends ReturnLine {
  @ChoiceField(CONDITIONS, { example: 'resellable' })
  condition: (typeof CONDITIONS)[number];

  @TextField(500, { lengthMin: 1, example: 'Wrong size' })
  reason: string;

  @DecimalField('zero or more', {
    ...optional,
    description: 'What the customer gets back; the price of the line unless said.',
    example: '9.99',
  })
  refund?: string;
}

export class NewReturn {
  @IdField({ ...optional, description: 'A repeat with the same id and body has no second effect.', example: 'return-1' })
  returnId?: string;

  @ListField(() => NewReturnLine, COMMAND_LINES_MAX)
  lines: NewReturnLine[];
}

class ReceivedLine extends ReturnLine {
  @ChoiceField(CONDITIONS, { ...optional, example: 'resellable' })
  condition?: (typeof CONDITIONS)[number];
}

export class ReturnReceipt {
  @IdField({ ...optional, example: 'berlin' })
  warehouseId?: string;

  @ListField(() => ReceivedLine, COMMAND_LINES_MAX, { ...optional, description: 'None: all that was authorised.' })
  lines?: ReceivedLine[];
}

class InspectedLine extends ReturnLine {
  @ChoiceField(VERDICTS, { example: 'available' })
  verdict: (typeof VERDICTS)[number];

  @TextField(500, { ...optional, nullable: true, example: 'Seal unbroken' })
  note?: string | null;
}

export class Inspection {
  @ListField(() => InspectedLine, COMMAND_LINES_MAX)
  lines: InspectedLine[];
}

export class ReturnsQuery extends PageQuery {
  @IdField(optional)
  orderId?: string;

  @ChoiceField(RETURN_STATUSES, optional)
  status?: (typeof RETURN_STATUSES)[number];
}
