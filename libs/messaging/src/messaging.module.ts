import { type DynamicModule, Module } from '@nestjs/common';
import type { Registry } from 'prom-client';
import type { ServiceName } from '#libs/contracts';
import { type Database, MESSAGING_DATABASE } from '#libs/persistence';
import type { BrokerUserOrgs } from './broker-user-orgs.js';
import type { Delivery } from './delivery.js';
import { Inbox } from './inbox.js';
import { MessagingMetrics } from './metrics.js';
import { Outbox } from './outbox.js';
import { ParkedMessages } from './parking.js';
import { Relay } from './relay.js';
import { RpcClient } from './rpc-client.js';
import { type AroundHandler, HoldfastTransport } from './transport.js';

export interface MessagingModuleOptions {
  readonly service: ServiceName;
  /** Opened, and after the application closed, by whoever runs the process. */
  readonly delivery: Delivery;
  /** How many events may be under way at once; default 800. */
  readonly prefetch?: number;
  readonly retryDelaysMs?: readonly number[];
  readonly drainTimeoutMs?: number;
  /** Which organisation a broker user may speak for; `null`: any (development). */
  readonly brokerUserOrgs?: BrokerUserOrgs;
  /** Where metrics are counted; default prom-client's own registry. */
  readonly registry?: Registry;
  /** Around each handler. */
  readonly around?: AroundHandler;
}

/**
 * Provides {@link Outbox}, {@link Inbox}, {@link RpcClient}, {@link ParkedMessages}, {@link Relay} and the {@link HoldfastTransport} to every
 * module of the service. Needs a global `PersistenceModule`.
 *
 * @example
 * const app = await NestFactory.createMicroservice(Module, {
 *   useFactory: (strategy: HoldfastTransport) => ({ strategy }),
 *   inject: [HoldfastTransport],
 * });
 */
@Module({})
export class MessagingModule {
  static forService(options: MessagingModuleOptions): DynamicModule {
    const { service, delivery } = options;
    return {
      module: MessagingModule,
      global: true,
      providers: [
        { provide: MessagingMetrics, useFactory: () => MessagingMetrics.in(options.registry) },
        {
          provide: Relay,
          inject: [MESSAGING_DATABASE, MessagingMetrics],
          useFactory: (database: Database, metrics: MessagingMetrics) => new Relay({ service, delivery, database, metrics }),
        },
        { provide: Outbox, inject: [Relay], useFactory: (relay: Relay) => new Outbox(relay) },
        { provide: Inbox, useFactory: () => new Inbox() },
        { provide: RpcClient, useFactory: () => new RpcClient(delivery) },
        {
          provide: ParkedMessages,
          inject: [MESSAGING_DATABASE],
          useFactory: (database: Database) => new ParkedMessages(service, database),
        },
        {
          provide: HoldfastTransport,
          inject: [ParkedMessages, Relay, MessagingMetrics],
          useFactory: (parked: ParkedMessages, relay: Relay, metrics: MessagingMetrics) =>
            new HoldfastTransport({ ...options, parked, relay, metrics }),
        },
      ],
      exports: [Outbox, Inbox, RpcClient, ParkedMessages, Relay, HoldfastTransport],
    };
  }
}
