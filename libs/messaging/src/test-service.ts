import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Controller, Inject, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Type } from '@sinclair/typebox';
import { defineCall, defineEvent, makeEvent, Text, type EventDefinition, type EventOf, type RequestOf } from '#libs/contracts';
import { Database, PersistenceModule } from '#libs/persistence';
import { OnCall, OnEvent, OnLiveEvent, type MessageContext } from './handlers.js';
import { Inbox, inboxKey } from './inbox.js';
import { MessagingModule, type MessagingModuleOptions } from './messaging.module.js';
import { Outbox } from './outbox.js';
import { ParkedMessages } from './parking.js';
import { Relay } from './relay.js';
import { RpcClient } from './rpc-client.js';
import { HoldfastTransport } from './transport.js';

// What the tests of messaging share: a few kinds of messages, and services that do with them what a test says.

const ping = {
  summary: 'For tests.',
  direction: 'out' as const,
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
export const AdminOnly = defineCall({ ...call, pattern: 'test.admin', allow: ['admin'], request: Type.Object({}), response: Type.Null() });

export type Ping = EventOf<typeof Pinged>;
export type EchoRequest = RequestOf<typeof Echo> & { orgId: string };

/** An event of one of the kinds above. */
export function makePing(n: number, definition: EventDefinition<typeof ping.data> = Pinged, orgid = 'acme'): Ping {
  const attributes = { source: '/test', subject: `ping-${n}`, orgid, time: new Date().toISOString() };
  return makeEvent(definition, { ...attributes, actor: 'alice', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` }, { n });
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
  async adminOnly(): Promise<null> {
    return null;
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

/** A folder with the migration of the table that counts effects, to be run after those of messaging. */
export async function effectMigrations(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hft-effect-'));
  const sql = 'create table ${schema}.effect (org_id text not null, n int not null); grant select, insert on ${schema}.effect to ${role};';
  await writeFile(join(directory, '0001-effect.sql'), sql);
  return directory;
}

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
  static async start(databaseUrl: string, behaviour: Behaviour, options: MessagingModuleOptions): Promise<TestService> {
    const { service } = options;
    @Module({
      imports: [
        PersistenceModule.forService({ url: databaseUrl, service, poolSizeMax: 5, global: true }),
        MessagingModule.forService({ retryDelaysMs: [100, 200, 400], drainTimeoutMs: 5_000, ...options }),
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
