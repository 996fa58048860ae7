import { COMMAND_LINES_MAX, type GoodsQuality, QUALITIES } from '#libs/contracts';
import { ChoiceField, DecimalField, IdField, ListField, TextField, TimestampField } from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

const MODES = ['cycle', 'full'] as const;
const optional = { optional: true } as const;

export class NewLocation {
  @IdField({ example: 'A-01' })
  location: string;
}

class Goods {
  @IdField({ example: 'berlin' })
  warehouseId: string;

  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @IdField({ ...optional, description: 'Of a tracked item; of a piece its serial number.', example: 'L-2026-03' })
  lot?: string;

  @DecimalField('positive', { example: '2' })
  quantity: string;
}

export class NewBinMove extends Goods {
  @IdField({ example: 'default' })
  from: string;

  @IdField({ example: 'A-01' })
  to: string;

  @ChoiceField(QUALITIES, { ...optional, description: '`available` unless said.' })
  quality?: GoodsQuality;
}

export class NewQualityChange extends Goods {
  @IdField({ ...optional, description: '`default` unless said.', example: 'A-01' })
  location?: string;

  @ChoiceField(QUALITIES, { example: 'available' })
  from: GoodsQuality;

  @ChoiceField(QUALITIES, { example: 'quarantined' })
  to: GoodsQuality;

  @TextField(500, { lengthMin: 1, example: 'Smells of smoke' })
  reason: string;
}

export class NewScrap extends Goods {
  @IdField({ ...optional, description: '`default` unless said.', example: 'A-01' })
  location?: string;

  @ChoiceField(QUALITIES, { ...optional, description: '`available` unless said.', example: 'damaged' })
  quality?: GoodsQuality;

  @TextField(500, { lengthMin: 1, example: 'Wet through' })
  reason: string;
}

export class CountedLine {
  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @DecimalField('zero or more', { example: '98', description: 'All that lies there, whatever its quality.' })
  countedQuantity: string;

  @IdField({ ...optional, description: 'Of a tracked item; of a piece its serial number.', example: 'L-2026-03' })
  lot?: string;

  @IdField({ ...optional, description: '`default` unless said.', example: 'A-01' })
  location?: string;
}

export class NewCount {
  @IdField({ example: 'berlin' })
  warehouseId: string;

  @ChoiceField(MODES, { ...optional, description: '`full`: what is in the warehouse and not counted is not there.', example: 'cycle' })
  mode?: (typeof MODES)[number];

  @TimestampField({ ...optional, description: 'When it was counted; what has moved since then does not matter. Now unless said.' })
  countedAt?: string;

  @ListField(() => CountedLine, COMMAND_LINES_MAX)
  lines: CountedLine[];

  @TextField(500, { ...optional, example: 'Yearly count' })
  note?: string;
}

export class LotsQuery extends PageQuery {
  @IdField(optional)
  itemId?: string;

  @IdField(optional)
  warehouseId?: string;

  @TimestampField(optional)
  expiresBefore?: string;
}

export class Recall {
  @TextField(500, { lengthMin: 1, example: 'Glass in it, said by the supplier' })
  reason: string;
}
