import type { Role } from '#libs/contracts';

/** On whose behalf something is done: a person, an API key or a system, always inside one organisation. */
export interface Actor {
  readonly userId: string;
  readonly orgId: string;
  readonly roles: readonly Role[];
  /** The warehouses that the actor works in; `null` = all of them, an empty list = none. */
  readonly warehouses: readonly string[] | null;
}

/** A system of the organisation that acts on its own behalf: an OMS on the broker, or one of our services. */
export function serviceActor(orgId: string, userId = 'service'): Actor {
  return { userId, orgId, roles: ['service'], warehouses: null };
}
