import { Controller } from '@nestjs/common';
import { worksIn } from '#libs/auth';
import {
  type Order,
  OrderCancel,
  OrderConfirm,
  OrderCreate,
  OrderGet,
  OrderList,
  OrderPack,
  OrderPick,
  OrderUpdate,
  type Page,
  PickListGet,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { AmendOrder } from './amend-order.js';
import { CancelOrder } from './cancel-order.js';
import { ConfirmOrder } from './confirm-order.js';
import { OrderQueries } from './order.queries.js';
import { PlaceOrder } from './place-order.js';
import { RecordHandling } from './record-handling.js';

/** Calls about orders. */
@Controller()
export class OrdersConsumer {
  constructor(
    private readonly placeOrder: PlaceOrder,
    private readonly amendOrder: AmendOrder,
    private readonly confirmOrder: ConfirmOrder,
    private readonly cancelOrder: CancelOrder,
    private readonly recordHandling: RecordHandling,
    private readonly queries: OrderQueries,
  ) {}

  @OnCall(OrderCreate)
  async place(request: RequestOf<typeof OrderCreate>, context: MessageContext): Promise<Order> {
    return await this.placeOrder.run(request, context);
  }

  @OnCall(OrderUpdate)
  async amend(request: RequestOf<typeof OrderUpdate>, context: MessageContext): Promise<Order> {
    return await this.amendOrder.run(request, context);
  }

  @OnCall(OrderConfirm)
  async confirm(request: RequestOf<typeof OrderConfirm>, context: MessageContext): Promise<Order> {
    return await this.confirmOrder.run(request, context);
  }

  @OnCall(OrderCancel)
  async cancel(request: RequestOf<typeof OrderCancel>, context: MessageContext): Promise<Order> {
    return await this.cancelOrder.run(request, context);
  }

  @OnCall(PickListGet)
  async pickList({ orderId }: RequestOf<typeof PickListGet>, context: MessageContext): Promise<ResponseOf<typeof PickListGet>> {
    await this.queries.get(context.orgId, orderId, context);
    const lines = await this.recordHandling.suggest(orderId, context);
    return { lines: lines.filter(({ warehouseId }) => worksIn(context.actor, warehouseId)) };
  }

  @OnCall(OrderPick)
  async pick(request: RequestOf<typeof OrderPick>, context: MessageContext): Promise<Order> {
    return await this.recordHandling.pick(request, context);
  }

  @OnCall(OrderPack)
  async pack(request: RequestOf<typeof OrderPack>, context: MessageContext): Promise<Order> {
    return await this.recordHandling.pack(request, context);
  }

  @OnCall(OrderGet)
  async get({ orderId }: RequestOf<typeof OrderGet>, context: MessageContext): Promise<Order> {
    return await this.queries.get(context.orgId, orderId, context);
  }

  @OnCall(OrderList)
  async list(request: RequestOf<typeof OrderList>, context: MessageContext): Promise<Page<Order>> {
    return await this.queries.list(context.orgId, request, context);
  }
}
