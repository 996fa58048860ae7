import type { ServiceName } from '#libs/contracts';

/** The services that have a database schema and a process of their own. Without their code, for who only starts or migrates them. */
export const SERVICE_NAMES = [
  'inventory',
  'orders',
  'approvals',
  'notifications',
  'reconciliation',
  'gateway',
] as const satisfies readonly ServiceName[];
