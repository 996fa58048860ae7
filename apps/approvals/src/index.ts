import type { Service } from '#libs/service';
import { ApprovalsModule } from './approvals.module.js';

export { ApprovalsModule } from './approvals.module.js';

/** Who may let through what was refused: policies, requests, decisions. */
export const approvals: Service = { service: 'approvals', module: ApprovalsModule };
