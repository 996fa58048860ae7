import { Injectable, Logger } from '@nestjs/common';
import { AskInventory, type Caller } from '../stock/ask-inventory.js';
import { isWaiting, type OrderState } from '../orders/order-state.js';
import { TellApprovals } from './tell-approvals.js';

/**
 * Does at once what is to be said about an order: to inventory, which hears it by event as well, and to approvals. What fails now is done by
 * the event or by the sweep.
 */
@Injectable()
export class CarryOn {
  private readonly logger = new Logger(CarryOn.name);

  constructor(
    private readonly inventory: AskInventory,
    private readonly approvals: TellApprovals,
  ) {}

  /** @returns the order as far as it came. */
  async run(order: OrderState, caller: Caller): Promise<OrderState> {
    let current = order;
    try {
      for (;;) {
        const { approval } = current;
        if (isWaiting(current)) current = (await this.inventory.settle(current, caller)).order;
        else if (approval !== null && approval.untold !== null) current = await this.approvals.run(current, approval, caller);
        else return current;
      }
    } catch (error) {
      this.logger.warn(`Order ${order.orderId} goes on later: ${String(error)}`);
      return current;
    }
  }
}
