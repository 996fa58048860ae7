import { Injectable } from '@nestjs/common';
import { authoriseWarehouses } from '#libs/auth';
import type { CustomerReturn, RequestOf, ReturnCancel, ReturnInspect, ReturnReceive } from '#libs/contracts';
import type { MessageContext } from '#libs/messaging';
import { Database } from '#libs/persistence';
import { digestOf } from '../digest.js';
import { ChangeOrder } from '../orders/change-order.js';
import type { Decision } from '../orders/decision.js';
import type { OrderState } from '../orders/order-state.js';
import { decideCancelReturn, decideInspect, decideReceive, findReturn, returnNotFound } from './return.rules.js';
import { orderOfReturn } from './return.sql.js';
import { returnView } from './return-view.js';

/** Receives returned goods: on hand rises at once, and they wait for inspection; says what inspected goods are good for; or gives up a return. */
@Injectable()
export class ChangeReturn {
  constructor(
    private readonly database: Database,
    private readonly changeOrder: ChangeOrder,
  ) {}

  async receive(request: RequestOf<typeof ReturnReceive>, context: MessageContext): Promise<CustomerReturn> {
    return await this.run('receive', request, context, (order) => {
      const decision = decideReceive(order, request);
      if (decision.ask?.kind === 'receive') authoriseWarehouses(context.actor, [decision.ask.data.warehouseId]);
      return decision;
    });
  }

  async inspect(request: RequestOf<typeof ReturnInspect>, context: MessageContext): Promise<CustomerReturn> {
    return await this.run('inspect', request, context, (order) => {
      const { warehouseId } = findReturn(order, request.returnId);
      authoriseWarehouses(context.actor, warehouseId === null ? [] : [warehouseId]);
      return decideInspect(order, request);
    });
  }

  /** Inventory never heard of what only was authorised. */
  async cancel(request: RequestOf<typeof ReturnCancel>, context: MessageContext): Promise<CustomerReturn> {
    return await this.run('cancel', request, context, (order) => decideCancelReturn(order, request));
  }

  private async run(
    kind: 'receive' | 'inspect' | 'cancel',
    { dryRun = false, ...request }: RequestOf<typeof ReturnReceive | typeof ReturnInspect | typeof ReturnCancel>,
    context: MessageContext,
    decide: (order: OrderState) => Decision,
  ): Promise<CustomerReturn> {
    const { orgId } = context;
    const { returnId } = request;
    const orderId = await this.database.transaction([orgId], (tx) => orderOfReturn(tx, orgId, returnId), { readOnly: true });
    if (orderId === undefined) throw returnNotFound(returnId);
    const change = { orgId, orderId, digest: digestOf(`${kind}-return`, request), dryRun, context };
    const order = await this.changeOrder.runExisting(change, decide);
    return { ...returnView(order, findReturn(order, returnId)), ...(dryRun ? { dryRun } : {}) };
  }
}
