import { Injectable } from '@nestjs/common';
import { type CustomerReturn, ItemGet, type RequestOf, type ReturnCreate } from '#libs/contracts';
import { parseQuantity, SCALE, uuidv7, ZERO } from '#libs/domain';
import { type MessageContext, RpcClient } from '#libs/messaging';
import { Database } from '#libs/persistence';
import { digestOf } from '../digest.js';
import { ChangeOrder } from '../orders/change-order.js';
import { readOrders } from '../orders/order.sql.js';
import { mayPrice } from '../orders/read-catalogue.js';
import { callOptions } from '../stock/ask-inventory.js';
import { decideAuthorise, findReturn } from './return.rules.js';
import { returnView } from './return-view.js';

/** Authorises a return. Inventory learns of it when the goods come in. */
@Injectable()
export class AuthoriseReturn {
  constructor(
    private readonly changeOrder: ChangeOrder,
    private readonly database: Database,
    private readonly rpc: RpcClient,
  ) {}

  async run({ dryRun = false, ...request }: RequestOf<typeof ReturnCreate>, context: MessageContext): Promise<CustomerReturn> {
    const { orderId, returnId = uuidv7() } = request;
    const digest = digestOf('return', { ...request, returnId });
    const terms = { mayPrice: mayPrice(context), serialItems: await this.serialItems(request, context) };
    const change = { orgId: context.orgId, orderId, digest, dryRun, context };
    const order = await this.changeOrder.runExisting(change, (existing, now) =>
      decideAuthorise(existing, { ...request, returnId }, digest, terms, now),
    );
    return { ...returnView(order, findReturn(order, returnId)), ...(dryRun ? { dryRun } : {}) };
  }

  /** Of which of the items there are only whole pieces; nobody is asked where nothing else is to come back. */
  private async serialItems({ orderId, lines }: RequestOf<typeof ReturnCreate>, context: MessageContext): Promise<ReadonlySet<string>> {
    const { orgId } = context;
    const broken = lines.filter(({ quantity }) => parseQuantity(quantity) % SCALE !== ZERO).map(({ lineNo }) => lineNo);
    if (broken.length === 0) return new Set();
    const [order] = await this.database.transaction([orgId], (tx) => readOrders(tx, orgId, [orderId]), { readOnly: true });
    const itemIds = [...new Set(order?.lines.filter(({ lineNo }) => broken.includes(lineNo)).map(({ itemId }) => itemId))];
    if (itemIds.length === 0) return new Set();
    const { items } = await this.rpc.call(ItemGet, { orgId, itemIds }, callOptions(context));
    return new Set(items.filter(({ tracking }) => tracking === 'serial').map(({ itemId }) => itemId));
  }
}
