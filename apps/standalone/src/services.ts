import { approvals } from '#apps/approvals';
import { gateway } from '#apps/gateway';
import { inventory } from '#apps/inventory';
import { notifications } from '#apps/notifications';
import { orders } from '#apps/orders';
import { reconciliation } from '#apps/reconciliation';
import type { Service } from '#libs/service';

/** All services, in the order of starting: the gateway last, because it is what people wait for. */
export const services: readonly Service[] = [inventory, orders, approvals, notifications, reconciliation, gateway];
