import { QualityChanged } from '#libs/contracts';
import { formatQuantity, ZERO } from '#libs/domain';
import { answered, type ExpireLot, type Outcome } from '../stock-machine/commands.js';
import { carryOutFact, planFact } from '../stock-machine/facts.js';
import { newMovement, postMovement, shiftOf } from '../stock-machine/post-movement.js';
import { quantsOfLot } from '../stock-machine/balance-quants.js';
import { lotNameKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';

/**
 * Makes what is left of a lot in a warehouse `expired`, if it is by the database's clock. A fact: who held it holds another lot, or waits
 * (docs/rules.md, "expiry"). Any number of sweepers may ask for it: who comes second finds nothing left.
 */
export function expireLot(state: StockState, command: ExpireLot): Outcome<{ expired: string }> {
  const { orgId, warehouseId, itemId, lot } = command;
  const known = state.lots.get(lotNameKey(orgId, itemId, lot));
  const balance = state.balance(orgId, warehouseId, itemId);
  const hasExpired = known !== undefined && known.expiresAt !== null && known.expiresAt <= state.now;
  if (balance === undefined || !hasExpired) return answered({ expired: '0' });
  const left = quantsOfLot(state, balance, lot).filter(({ quality, quantity }) => quality === 'available' && quantity > ZERO);
  if (left.length === 0) return answered({ expired: '0' });
  const parts = left.map(({ location, quantity }) => ({ place: { lot, location, quality: 'available' as const }, quantity }));
  const fact = planFact(
    state,
    parts.map(({ place, quantity }) => ({ balance, place, delta: -quantity })),
  );

  // After this point it must succeed.
  return carryOutFact(state, fact, 'expired', command.meta, () => {
    const head = { orgId, movementType: 'quality_change', refType: 'adjustment', refId: null, reason: 'expired' };
    const changes = parts.flatMap(({ place, quantity }) => shiftOf(state, balance, place, { ...place, quality: 'expired' }, quantity));
    postMovement(state, newMovement(head, command.meta, state.now), changes, command.meta);
    const expired = formatQuantity(parts.reduce((sum, { quantity }) => sum + quantity, ZERO));
    state.emit(QualityChanged, orgId, itemId, command.meta, {
      itemId,
      warehouseId,
      lot,
      quantity: expired,
      from: 'available',
      to: 'expired',
    });
    return answered({ expired });
  });
}
