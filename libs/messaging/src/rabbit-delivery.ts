import type { Consumer, Delivery, DeliveryStatus, OutgoingCall, OutgoingEvent, Settled, Subscription } from './delivery.js';

export interface RabbitDeliveryOptions {
  /** `amqp://user:password@host:port/vhost` */
  readonly url: string;
  /** Shown in the broker's list of connections. */
  readonly name: string;
  /** Before the names of all exchanges and queues, so that two Holdfasts, or two runs of the tests, share a broker. */
  readonly prefix?: string;
  /** How long opening waits for the broker; default 10,000. */
  readonly connectTimeoutMs?: number;
}

/** Delivers through RabbitMQ. */
export class RabbitDelivery implements Delivery {
  /** Connects; afterwards connections are renewed whenever they are lost. */
  static async open(options: RabbitDeliveryOptions): Promise<RabbitDelivery> {
    return new RabbitDelivery(options);
  }
  private constructor(readonly options: RabbitDeliveryOptions) {}
  subscribe(_consumer: Consumer): Promise<Subscription> {
    throw new Error('coming');
  }
  room(): number {
    return 0;
  }
  onRoom(_listener: () => void): () => void {
    return () => {};
  }
  publish(_event: OutgoingEvent, _settled: Settled): void {
    throw new Error('coming');
  }
  call(_call: OutgoingCall): Promise<Buffer> {
    throw new Error('coming');
  }
  status(): DeliveryStatus {
    return { state: 'connecting', blocked: null, lastError: null };
  }
  async close(): Promise<void> {}
}
