import type { Service } from '#libs/service';
import { OrdersModule } from './orders.module.js';

export { OrdersModule } from './orders.module.js';

/** The life cycle of orders, and what was shipped and came back. */
export const orders: Service = { service: 'orders', module: OrdersModule };
