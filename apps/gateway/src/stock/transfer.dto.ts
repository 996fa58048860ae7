import { COMMAND_LINES_MAX, type Transfer, type TransferStatus } from '#libs/contracts';
import { BooleanField, ChoiceField, DecimalField, IdField, ListField } from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

const MODES = ['immediate', 'in_transit'] as const satisfies Transfer['mode'][];
const STATUSES = ['in_transit', 'completed'] as const satisfies TransferStatus[];
const optional = { optional: true } as const;

class TransferredLine {
  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @DecimalField('positive', { example: '12' })
  quantity: string;

  @IdField({ ...optional, description: 'None: what expires first.', example: 'L-2026-03' })
  lot?: string;
}

class ArrivedLine {
  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @DecimalField('zero or more', { example: '11' })
  quantity: string;

  @IdField({ ...optional, description: 'Needed where several lots of the item are under way.', example: 'L-2026-03' })
  lot?: string;
}

export class NewTransfer {
  @IdField({ ...optional, description: 'A repeat with the same id and body has no second effect.', example: 'transfer-1' })
  transferId?: string;

  @IdField({ example: 'berlin' })
  fromWarehouseId: string;

  @IdField({ example: 'hamburg' })
  toWarehouseId: string;

  @ChoiceField(MODES, { ...optional, description: 'At once, unless said.', example: 'in_transit' })
  mode?: Transfer['mode'];

  @ListField(() => TransferredLine, COMMAND_LINES_MAX)
  lines: TransferredLine[];
}

export class TransferArrival {
  @ListField(() => ArrivedLine, COMMAND_LINES_MAX, { ...optional, description: 'None: all that is under way.' })
  lines?: ArrivedLine[];

  @BooleanField({ ...optional, description: 'What of the named lines did not arrive is missing, and will not come.' })
  closeShortLines?: boolean;
}

export class TransfersQuery extends PageQuery {
  @IdField({ ...optional, description: 'From or to it.' })
  warehouseId?: string;

  @ChoiceField(STATUSES, optional)
  status?: TransferStatus;
}
