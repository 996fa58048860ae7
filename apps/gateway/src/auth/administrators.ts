import { type Actor, type Role, worksIn } from '#libs/auth';
import { conflict, forbidden } from '#libs/domain';
import type { Tx } from '#libs/persistence';

/** What somebody may do, and where. */
interface Rights {
  readonly roles: readonly Role[];
  /** Null: everywhere. */
  readonly warehouses: readonly string[] | null;
  readonly disabled?: boolean;
}

/** Who can give every right to everybody; whoever works in some warehouses cannot. */
export function isAdministrator({ roles, warehouses, disabled = false }: Rights): boolean {
  return roles.includes('admin') && warehouses === null && !disabled;
}

/**
 * Whoever works in some warehouses gives, changes and takes rights in those only.
 *
 * @throws {HoldfastError} 403 `WAREHOUSE_FORBIDDEN`
 */
export function authoriseScope(by: Actor, { warehouses }: Pick<Rights, 'warehouses'>): void {
  if (by.warehouses === null || warehouses?.every((warehouseId) => worksIn(by, warehouseId))) return;
  const mine = by.warehouses.join(', ') || 'no warehouse';
  throw forbidden('WAREHOUSE_FORBIDDEN', `You work in ${mine}: rights in other warehouses are not yours to give or to take.`);
}

/** Those who change who administers an organisation wait for each other, so that two cannot both take the other for the last one. */
export async function lockAdministrators(tx: Tx, orgId: string): Promise<void> {
  await tx.rows('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`administrators of ${orgId}`]);
}

/**
 * After a change that takes an administrator away: somebody must be left who can undo it. Known are members, keys and who changes it; not
 * whom else an identity provider would vouch for.
 *
 * @param goes what is taken away, as it signs in.
 * @throws {HoldfastError} 409 `INVALID_STATE`
 */
export async function requireAdministrator(tx: Tx, by: Actor, goes: string): Promise<void> {
  const isLeft = by.userId !== goes && isAdministrator(by);
  const [row] = await tx.rows<{ known: boolean }>(
    `select exists (select 1 from member where org_id = $1 and 'admin' = any(roles) and warehouses is null and not disabled)
         or exists (select 1 from api_key where org_id = $1 and 'admin' = any(roles) and warehouses is null)
         or ($2 and not exists (select 1 from member where org_id = $1 and user_id = $3)) as known`,
    [by.orgId, isLeft && !by.userId.startsWith('key:'), by.userId],
  );
  if (row!.known) return;
  throw conflict(
    'INVALID_STATE',
    'Nobody would be left who administers all warehouses of the organisation: make somebody else an admin first.',
  );
}
