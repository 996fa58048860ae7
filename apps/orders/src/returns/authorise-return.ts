import { Injectable } from '@nestjs/common';
import type { CustomerReturn, RequestOf, ReturnCreate } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import type { MessageContext } from '#libs/messaging';
import { digestOf } from '../digest.js';
import { ChangeOrder } from '../orders/change-order.js';
import { mayPrice } from '../orders/read-catalogue.js';
import { decideAuthorise, findReturn } from './return.rules.js';
import { returnView } from './return-view.js';

/** Authorises a return. Inventory learns of it when the goods come in. */
@Injectable()
export class AuthoriseReturn {
  constructor(private readonly changeOrder: ChangeOrder) {}

  async run({ dryRun = false, ...request }: RequestOf<typeof ReturnCreate>, context: MessageContext): Promise<CustomerReturn> {
    const { orderId, returnId = uuidv7() } = request;
    const digest = digestOf('return', { ...request, returnId });
    const change = { orgId: context.orgId, orderId, digest, dryRun, context };
    const order = await this.changeOrder.runExisting(change, (existing, now) =>
      decideAuthorise(existing, { ...request, returnId }, digest, mayPrice(context), now),
    );
    return { ...returnView(order, findReturn(order, returnId)), ...(dryRun ? { dryRun } : {}) };
  }
}
