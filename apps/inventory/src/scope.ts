import type { Actor } from '#libs/auth';

/**
 * The warehouses that a reader is shown: those the actor works in, `null` = all. What lies elsewhere is left out of lists and does
 * not exist for who asks for it.
 */
export type Scope = Actor['warehouses'];

export function isShown(scope: Scope, warehouseId: string): boolean {
  return scope === null || scope.includes(warehouseId);
}
