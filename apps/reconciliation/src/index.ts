import type { Service } from '#libs/service';
import { ReconciliationModule } from './reconciliation.module.js';

export { ReconciliationModule } from './reconciliation.module.js';

/** Proves every night, and on demand, that the books agree with themselves and with each other. */
export const reconciliation: Service = { service: 'reconciliation', module: ReconciliationModule };
