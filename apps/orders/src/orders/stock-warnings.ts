import { Injectable } from '@nestjs/common';
import { type Actor, signActorToken } from '#libs/auth';
import { type AuditEvent, AuditLists, type Availability, AvailabilityGet } from '#libs/contracts';
import { parseQuantity, ZERO } from '#libs/domain';
import { RpcClient } from '#libs/messaging';
import { type Caller, callOptions } from '../stock/ask-inventory.js';
import { openQuantity, type OrderState } from './order-state.js';
import type { ShownBy } from './organisation-settings.js';

/** Whom an order is shown to. */
export type Viewer = Caller & { readonly actor: Actor };

/** An order is shown without warnings rather than late. */
const PATIENCE_MS = 1_000;
const PAIRS_MAX = 1_000;
const ATTEMPTS_MAX = 500;

/**
 * Warns of what an organisation lets pass (docs/rules.md, "phases"): stock in doubt that its lock policy only watches, and, while it
 * enforces nothing, what would have been refused. What it does not let pass, no order holds, and inventory is not asked.
 */
@Injectable()
export class StockWarnings {
  constructor(private readonly rpc: RpcClient) {}

  /** None when inventory does not answer in time. */
  async read(order: OrderState, settings: ShownBy, viewer: Viewer): Promise<string[]> {
    const isDark = settings.enforcementPhase === 'dark';
    const isWarned = isDark ? viewer.actor.roles.includes('admin') : settings.discrepancyLockPolicy === 'monitor';
    if (!isWarned || order.lines.every((line) => openQuantity(order, line) <= ZERO)) return [];
    const { timeoutMs = PATIENCE_MS, traceparent } = callOptions(viewer);
    // On behalf of who asks, as the gateway has said: inventory knows who is warned, and of which warehouses.
    const options = { timeoutMs: Math.min(timeoutMs, PATIENCE_MS), traceparent, actor: await signActorToken(viewer.actor) };
    const { orgId, orderId } = order;
    const asked = { orgId, orderId, type: 'oversell_attempt', limit: ATTEMPTS_MAX };
    const places = placesOf(order);
    const [attempts, doubts] = await Promise.all([
      isDark ? this.rpc.call(AuditLists.inventory, asked, options).then(({ items }) => items, nothing) : [],
      places.length === 0
        ? []
        : this.rpc.call(AvailabilityGet, { orgId, items: pairsOf(places) }, options).then(({ items }) => items, nothing),
    ]);
    return [...shortageWarnings(order, attempts), ...doubtWarnings(places, doubts)];
  }
}

const nothing = () => [];

/** A line that is not done with, and a warehouse in which it is held or is to be held. */
interface Place {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string;
}

function placesOf(order: OrderState): Place[] {
  return order.lines
    .filter((line) => openQuantity(order, line) > ZERO)
    .flatMap(({ lineNo, itemId, warehouseId }) => {
      const held = order.holds.filter((hold) => hold.lineNo === lineNo).map((hold) => hold.warehouseId);
      return [...new Set([...held, ...(warehouseId === null ? [] : [warehouseId])])].map((place) => ({
        ...{ lineNo, itemId, warehouseId: place },
      }));
    });
}

function pairsOf(places: readonly Place[]): { itemId: string; warehouseId: string }[] {
  const pairs = new Map(places.map(({ itemId, warehouseId }) => [`${itemId} ${warehouseId}`, { itemId, warehouseId }]));
  return [...pairs.values()].slice(0, PAIRS_MAX);
}

/** What availability warns of where the order holds stock. */
function doubtWarnings(places: readonly Place[], doubts: readonly Availability[]): string[] {
  return places.flatMap(({ lineNo, itemId, warehouseId }) => {
    const found = doubts.find((doubt) => doubt.itemId === itemId && doubt.warehouseId === warehouseId);
    return (found?.warnings ?? []).map((warning) => `Line ${lineNo}, item ${itemId} in ${warehouseId}: ${warning}`);
  });
}

/** Which lines would have been refused as they are now, by inventory's record; the newest entry of each counts. */
export function shortageWarnings(order: OrderState, attempts: readonly Pick<AuditEvent, 'details'>[]): string[] {
  return order.lines.flatMap((line) => {
    const said = attempts.map(({ details }) => details as unknown as Attempt).find(({ lineNo }) => lineNo === line.lineNo);
    if (said === undefined || said.outcome !== 'would_block' || said.itemId !== line.itemId) return [];
    // Said of another quantity, it was another wish.
    if (parseQuantity(said.requested) !== line.quantity || openQuantity(order, line) <= ZERO) return [];
    const place = `Line ${line.lineNo}, item ${line.itemId} in ${said.warehouseId}`;
    return [`${place}: of ${said.requested} only ${said.available} could be promised; it would be refused if anything were enforced.`];
  });
}

/** What inventory recorded of a line that wanted more than it could have. */
interface Attempt {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly requested: string;
  readonly available: string;
  readonly outcome: 'refused' | 'pending_approval' | 'would_block';
}
