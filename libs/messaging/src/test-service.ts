import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  type INestMicroservice,
  Inject,
  Module,
  type NestInterceptor,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Type } from '@sinclair/typebox';
import { connect } from 'amqplib';
import { map, type Observable } from 'rxjs';
import { defineCall, defineEvent, makeEvent, Text, type EventDefinition, type EventOf, type RequestOf } from '#libs/contracts';
import { conflict } from '#libs/domain';
import { Database, PersistenceModule } from '#libs/persistence';
import { OnCall, OnEvent, OnLiveEvent, type MessageContext } from './handlers.js';
import { Inbox, inboxKey } from './inbox.js';
import { MessagingModule, type MessagingModuleOptions } from './messaging.module.js';
import { Outbox } from './outbox.js';
import { ParkedMessages } from './parking.js';
import type { RabbitTopology } from './rabbit-topology.js';
import { Relay } from './relay.js';
import { RpcClient } from './rpc-client.js';
import { HoldfastTransport } from './transport.js';

// What the tests of messaging share: a few kinds of messages, and services that do with them what a test says.

const ping = {
  summary: 'For tests.',
  direction: 'out' as const,
  publisher: null,
  data: Type.Object({ n: Type.Integer({ maximum: 1_000_000 }), note: Type.Optional(Text()) }),
};

/** For one service. */
export const Pinged = defineEvent({ ...ping, type: 'TestPinged', consumers: ['inventory'] });
/** For two services, and live for the gateway. */
export const Noted = defineEvent({ ...ping, type: 'TestNoted', consumers: ['inventory', 'orders'] });
/** For nobody in particular. */
export const Ignored = defineEvent({ ...ping, type: 'TestIgnored', consumers: [] });

const call = { service: 'inventory' as const, visibility: 'internal' as const, effect: 'read' as const, summary: 'For tests.' };
export const Echo = defineCall({
  ...call,
  pattern: 'test.echo',
  allow: ['service', 'admin'],
  request: Type.Object({ text: Text() }),
  response: Type.Object({ text: Type.String() }),
});
export const AdminOnly = defineCall({
  ...call,
  pattern: 'test.admin',
  allow: ['admin'],
  request: Type.Object({}),
  response: Type.Object({ passed: Type.Array(Type.String()) }),
});

export type Ping = EventOf<typeof Pinged>;
export type EchoRequest = RequestOf<typeof Echo> & { orgId: string };

/** An event of one of the kinds above. */
export function makePing(n: number, definition: EventDefinition<typeof ping.data> = Pinged, orgid = 'acme', note?: string): Ping {
  const attributes = { source: '/test', subject: `ping-${n}`, orgid, time: new Date().toISOString() };
  return makeEvent(
    definition,
    { ...attributes, actor: 'alice', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` },
    { n, ...(note !== undefined && { note }) },
  );
}

/** What a test lets a service do before an event has its effect; what it throws keeps it from having one. */
export interface Behaviour {
  event?(event: Ping, context: MessageContext): Promise<void>;
  live?(event: Ping): Promise<void>;
  call?(request: EchoRequest, context: MessageContext): Promise<{ text: string }>;
}

const BEHAVIOUR = Symbol('BEHAVIOUR');

/** Gives each event one effect, as real handlers do: inbox and change in one transaction. */
class Handlers {
  constructor(
    @Inject(BEHAVIOUR) private readonly behaviour: Behaviour,
    @Inject(Database) private readonly database: Database,
    @Inject(Inbox) private readonly inbox: Inbox,
  ) {}

  async effect(event: Ping, context: MessageContext): Promise<void> {
    await this.behaviour.event?.(event, context);
    await this.database.transaction([event.orgid], async (tx) => {
      const admitted = await this.inbox.admit(tx, [event]);
      if (admitted.has(inboxKey(event))) await tx.execute('insert into effect (org_id, n) values ($1, $2)', [event.orgid, event.data.n]);
    });
  }

  async live(event: Ping): Promise<void> {
    await this.behaviour.live?.(event);
  }

  async answer(request: EchoRequest, context: MessageContext): Promise<{ text: string }> {
    return (await this.behaviour.call?.(request, context)) ?? { text: request.text };
  }
}

class NotOnSundays implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const [request] = context.getArgs<[{ orgId: string }]>();
    if (request.orgId === 'sunday') throw conflict('SUNDAY', 'Not on Sundays.');
    return true;
  }
}

class Passes implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<{ passed: string[] }>): Observable<unknown> {
    return next.handle().pipe(map(({ passed }) => ({ passed: [...passed, 'interceptor'] })));
  }
}

@Controller()
class InventoryController {
  constructor(@Inject(Handlers) private readonly handlers: Handlers) {}

  @OnEvent(Pinged)
  async pinged(event: Ping, context: MessageContext): Promise<void> {
    await this.handlers.effect(event, context);
  }

  @OnEvent(Noted)
  async noted(event: Ping, context: MessageContext): Promise<void> {
    await this.handlers.effect(event, context);
  }

  @OnCall(Echo)
  async echo(request: EchoRequest, context: MessageContext): Promise<{ text: string }> {
    return await this.handlers.answer(request, context);
  }

  @OnCall(AdminOnly)
  @UseGuards(NotOnSundays)
  @UseInterceptors(Passes)
  async adminOnly(): Promise<{ passed: string[] }> {
    return { passed: ['handler'] };
  }
}

@Controller()
class OrdersController {
  constructor(@Inject(Handlers) private readonly handlers: Handlers) {}

  @OnEvent(Noted)
  async noted(event: Ping, context: MessageContext): Promise<void> {
    await this.handlers.effect(event, context);
  }
}

@Controller()
class GatewayController {
  constructor(@Inject(Handlers) private readonly handlers: Handlers) {}

  @OnLiveEvent(Noted)
  async noted(event: Ping): Promise<void> {
    await this.handlers.live(event);
  }
}

const CONTROLLERS = { inventory: InventoryController, orders: OrdersController, gateway: GatewayController };

const RETRY_DELAYS_MS = [100, 200, 400];

/** The migrations of a test's services: those of messaging, and the table that counts effects. */
export const TEST_MIGRATIONS = ['../migrations', '../test-migrations'].map((folder) => join(import.meta.dirname, folder));

/** A running service of a test. */
export class TestService {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly rpc: RpcClient;
  readonly parked: ParkedMessages;
  readonly relay: Relay;

  private constructor(private readonly app: INestMicroservice) {
    this.database = app.get(Database);
    this.outbox = app.get(Outbox);
    this.rpc = app.get(RpcClient);
    this.parked = app.get(ParkedMessages);
    this.relay = app.get(Relay);
  }

  /** Starts one; it takes messages when this resolves. */
  static async start(
    databaseUrl: string,
    behaviour: Behaviour,
    options: MessagingModuleOptions & { readonly service: keyof typeof CONTROLLERS },
  ): Promise<TestService> {
    const { service } = options;
    @Module({
      imports: [
        PersistenceModule.forService({ url: databaseUrl, service, poolSizeMax: 5, global: true }),
        MessagingModule.forService({ retryDelaysMs: RETRY_DELAYS_MS, drainTimeoutMs: 5_000, ...options }),
      ],
      controllers: [CONTROLLERS[service]],
      providers: [Handlers, { provide: BEHAVIOUR, useValue: behaviour }],
    })
    class TestModule {}
    const app = await NestFactory.createMicroservice(TestModule, {
      logger: process.env['HOLDFAST_TEST_LOG'] ? ['log', 'warn', 'error', 'fatal'] : false,
      useFactory: (strategy: HoldfastTransport) => ({ strategy }),
      inject: [HoldfastTransport],
    });
    await app.listen();
    return new TestService(app);
  }

  /** Publishes in a transaction, as a change would. */
  async emit(...events: Ping[]): Promise<void> {
    await this.database.transaction(['acme'], (tx) => this.outbox.append(tx, events));
  }

  /** The `n` of all events that had an effect, in order of `n`. */
  async effects(): Promise<number[]> {
    const rows = await this.database.transaction([], (tx) => tx.rows<{ n: number }>('select n from effect order by n'));
    return rows.map(({ n }) => n);
  }

  async close(): Promise<void> {
    await this.app.close();
  }
}

/** Waits until `check` answers something true (not 0, not an empty list), and answers it; after the timeout, whatever it answers. */
export async function eventually<T>(check: () => Promise<T> | T, timeoutMs = 10_000): Promise<T> {
  const giveUpMs = Date.now() + timeoutMs;
  for (;;) {
    const answer = await check();
    if ((Array.isArray(answer) ? answer.length > 0 : answer) || Date.now() > giveUpMs) return answer;
    await delay(20);
  }
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Removes what a test with its own prefix made on the broker. */
export async function removeTopology(brokerUrl: string, topology: RabbitTopology): Promise<void> {
  const connection = await connect(brokerUrl);
  const channel = await connection.createChannel();
  for (const service of ['inventory', 'orders'] as const) {
    await channel.deleteQueue(topology.eventsQueue(service));
    await channel.deleteQueue(topology.rpcQueue(service));
    for (const delayMs of RETRY_DELAYS_MS) await channel.deleteQueue(topology.retryQueue(service, delayMs));
  }
  await channel.deleteQueue(topology.parkedQueue);
  for (const name of [topology.eventsExchange, topology.callsExchange]) await channel.deleteExchange(name);
  await connection.close();
}
