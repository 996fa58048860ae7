import type { BinMoveAnswer, CountAnswer, Location, LotStock, QualityChangeAnswer, RecallAnswer, ScrapAnswer } from '#libs/contracts';

const MOVEMENT_ID = '019cb5b1-0000-7000-8000-000000000008';
const goods = { movementId: MOVEMENT_ID, itemId: 'coffee-1kg', warehouseId: 'berlin', lot: 'L-2026-03' };

export const aLocation: Location = { warehouseId: 'berlin', location: 'A-01', createdAt: '2026-03-01T08:00:00.000Z' };
export const theDefaultLocation: Location = { ...aLocation, location: 'default' };

export const aBinMove: BinMoveAnswer = { ...goods, quantity: '2', from: 'default', to: 'A-01', quality: 'available' };
export const anUntrackedMove: BinMoveAnswer = { ...aBinMove, lot: null };

export const aQualityChange: QualityChangeAnswer = { ...goods, location: 'A-01', quantity: '2', from: 'available', to: 'quarantined' };
export const anUntrackedQualityChange: QualityChangeAnswer = { ...aQualityChange, lot: null };

export const aScrap: ScrapAnswer = { ...goods, location: 'A-01', quality: 'damaged', quantityDelta: '-2', balanceAfter: '98' };
export const anUntrackedScrap: ScrapAnswer = { ...aScrap, lot: null };

export const aLot: LotStock = {
  itemId: 'coffee-1kg',
  lot: 'L-2026-03',
  producedAt: '2026-03-01T00:00:00.000Z',
  expiresAt: '2027-03-01T00:00:00.000Z',
  recalledAt: null,
  recallReason: null,
  quantity: '98',
  places: [{ warehouseId: 'berlin', location: 'A-01', quality: 'available', quantity: '98', reserved: '3' }],
};

/** Null where the other is not: it says which fields may be null. */
export const aRecalledLot: LotStock = {
  ...aLot,
  lot: 'L-2026-02',
  producedAt: null,
  expiresAt: null,
  recalledAt: '2026-03-02T09:00:00.000Z',
  recallReason: 'Glass in it, said by the supplier',
  places: [{ warehouseId: 'berlin', location: 'A-01', quality: 'recalled', quantity: '98', reserved: '0' }],
};

export const aRecall: RecallAnswer = {
  movementId: MOVEMENT_ID,
  itemId: 'coffee-1kg',
  lot: 'L-2026-02',
  recalledAt: '2026-03-02T09:00:00.000Z',
  reason: 'Glass in it, said by the supplier',
  recalled: [{ warehouseId: 'berlin', location: 'A-01', from: 'available', quantity: '98' }],
};
export const aRecallOfNothing: RecallAnswer = { ...aRecall, movementId: null };

const countedLine: CountAnswer['lines'][number] = {
  itemId: 'coffee-1kg',
  lot: 'L-2026-03',
  location: 'A-01',
  countedQuantity: '98',
  ledgerQuantity: '100',
  difference: '-2',
  posted: true,
};
export const aCount: CountAnswer = { movementId: MOVEMENT_ID, lines: [countedLine] };
export const anUntrackedCount: CountAnswer = { movementId: MOVEMENT_ID, lines: [{ ...countedLine, lot: null }] };
