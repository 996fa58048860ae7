import type { AuditNote } from '../audit/audit.sql.js';
import type { Ask } from '../stock/outstanding.js';
import type { OrderState } from './order-state.js';

/** What a rule decides: the order as it then is, and what inventory must agree to. The same order again = nothing to do. */
export interface Decision {
  readonly order: OrderState;
  /** What of the decision counts only when inventory agrees. */
  readonly ask?: Ask;
  /** The record of a change that needs no agreement. */
  readonly audit?: AuditNote;
}
