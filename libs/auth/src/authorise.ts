import type { CallDefinition, Role } from '#libs/contracts';
import { forbidden } from '#libs/domain';
import type { Actor } from './actor.js';

/** What of a call decides who may make it. */
export type Permission = Pick<CallDefinition, 'allow' | 'effect' | 'everyWarehouse'>;

/**
 * Refuses a call that the actor may not make: none of the actor's roles is named in the definition's `allow`, the request is about
 * another organisation, or it changes a warehouse that the actor does not work in. The gateway asks before it sends, and the service
 * that answers asks again.
 *
 * @throws {HoldfastError} kind `forbidden`, code `FORBIDDEN` or `WAREHOUSE_FORBIDDEN`.
 */
export function authorise(actor: Actor, definition: Permission, request: unknown): void {
  authoriseRole(actor, definition.allow);
  const orgId = field(request, 'orgId');
  if (orgId !== undefined && orgId !== actor.orgId) throw forbidden('FORBIDDEN', 'The request is about another organisation than yours.');
  if (definition.effect !== 'change') return;
  authoriseWarehouses(actor, namedWarehouses(request));
  if (actor.warehouses === null) return;
  const mine = actor.warehouses.join(', ') || 'no warehouse';
  if (definition.everyWarehouse) throw forbidden('WAREHOUSE_FORBIDDEN', `This changes stock wherever it is; you work in ${mine} only.`);
  if (leavesWarehouseOpen(request)) {
    throw forbidden('WAREHOUSE_FORBIDDEN', `You work in ${mine}: name the warehouse of every line, so that no other one serves it.`);
  }
}

/** Refuses an actor who has none of the roles. */
export function authoriseRole(actor: Actor, allow: readonly Role[]): void {
  if (actor.roles.some((role) => allow.includes(role))) return;
  throw forbidden('FORBIDDEN', `This needs one of the roles ${allow.join(', ')}; you have ${actor.roles.join(', ') || 'none'}.`);
}

/**
 * Refuses a change of a warehouse that the actor does not work in. {@link authorise} covers what a request names; a service calls this
 * itself for warehouses that it finds out later, such as those that hold an order's stock.
 */
export function authoriseWarehouses(actor: Actor, warehouseIds: Iterable<string>): void {
  for (const warehouseId of warehouseIds) {
    if (!worksIn(actor, warehouseId)) throw forbidden('WAREHOUSE_FORBIDDEN', `You may not change stock in warehouse ${warehouseId}.`);
  }
}

export function worksIn(actor: Pick<Actor, 'warehouses'>, warehouseId: string): boolean {
  return actor.warehouses === null || actor.warehouses.includes(warehouseId);
}

const WAREHOUSE_FIELDS = ['warehouseId', 'fromWarehouseId', 'toWarehouseId'] as const;

/** The warehouses that a request names, at the top or in its lines. */
function* namedWarehouses(request: unknown): Generator<string> {
  for (const name of WAREHOUSE_FIELDS) {
    const value = field(request, name);
    if (typeof value === 'string') yield value;
  }
  const lines = field(request, 'lines');
  if (Array.isArray(lines)) for (const line of lines) yield* namedWarehouses(line);
}

/** What says for all lines where they are about; a transfer knows its warehouses. */
const PLACE_FIELDS = ['warehouseId', 'fromWarehouseId', 'transferId'] as const;

/** Whether a line asks for an item from whatever warehouse has it. */
function leavesWarehouseOpen(request: unknown): boolean {
  const lines = field(request, 'lines');
  if (PLACE_FIELDS.some((name) => field(request, name) !== undefined) || !Array.isArray(lines)) return false;
  return lines.some((line) => field(line, 'itemId') !== undefined && field(line, 'warehouseId') === undefined);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
