import { type Channel, connect, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { CLOUD_EVENT_CONTENT_TYPE, type CloudEvent, type EventOf, makeEvent, OrderConfirmed, StockReserved } from '#libs/contracts';

export type Order = EventOf<typeof OrderConfirmed>;

/** The broker's side of the yardstick: a quorum queue of orders in, an exchange for answers out. */
export interface Broker {
  readonly incoming: Channel;
  readonly outgoing: ConfirmChannel;
  readonly exchange: string;
  readonly queue: string;
}

export async function openBroker(options: { url: string; exchange: string; queue: string; prefetch: number }): Promise<Broker> {
  // Two connections, as a broker that slows a publisher down must not keep its acknowledgements back.
  const incoming = await (await connect(options.url)).createChannel();
  const outgoing = await (await connect(options.url)).createConfirmChannel();
  await incoming.assertExchange(options.exchange, 'topic', { durable: true });
  await incoming.assertQueue(options.queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await incoming.bindQueue(options.queue, options.exchange, `${OrderConfirmed.type}.#`);
  // A quorum queue may lose the last acknowledgements of a channel that closes. Their answers are out, and nothing here would tell a repeat.
  await incoming.purgeQueue(options.queue);
  await incoming.prefetch(options.prefetch);
  return { incoming, outgoing, exchange: options.exchange, queue: options.queue };
}

export function parseOrder(message: ConsumeMessage): Order {
  return JSON.parse(message.content.toString()) as Order;
}

/** The answer to an order, without what only Holdfast knows (reservation ids and the order's stock). */
export function answerTo(order: Order): CloudEvent {
  const { orgid, id, data } = order;
  return {
    ...makeEvent(
      StockReserved,
      { source: '/inventory', subject: data.orderId, orgid, time: new Date().toISOString(), causationid: id },
      { orderId: data.orderId, firm: true, expiresAt: null, lines: [], stock: [] },
    ),
    data: { orderId: data.orderId, lines: data.lines },
  };
}

export function publish(broker: Broker, event: CloudEvent, serialised: string, confirmed?: (error: unknown) => void): void {
  broker.outgoing.publish(
    broker.exchange,
    `${event.type}.${event.orgid}`,
    Buffer.from(serialised),
    { persistent: true, contentType: CLOUD_EVENT_CONTENT_TYPE, messageId: event.id },
    confirmed,
  );
}
