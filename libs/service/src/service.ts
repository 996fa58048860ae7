import type { ModuleMetadata } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServiceName } from '#libs/contracts';
import type { Config } from './config.js';

/** Injection token of the {@link Config}. */
export const CONFIG = Symbol('CONFIG');

/**
 * What an app is. It is declared once, in the app's `index.ts`; the app's `main.ts` runs it alone, apps/standalone runs all in one
 * process, each in a Nest container of its own, so that no service can inject another's database.
 */
export interface Service {
  readonly service: ServiceName;
  /**
   * The app's Nest module. Every module of the app can inject, without importing anything: `CONFIG`, and what
   * `PersistenceModule` (Database) and `MessagingModule` (Outbox, Inbox, RpcClient, ParkedMessages) of this service provide.
   */
  readonly module: NonNullable<ModuleMetadata['imports']>[number];
  /** TypeORM entities of this service. */
  readonly entities?: readonly (new () => object)[];
  /** For an app with an HTTP API; others get a small server for probes and metrics only. */
  readonly http?: HttpApi;
}

/** An HTTP API beside probes and metrics. */
export interface HttpApi {
  /** Options of Fastify, such as `bodyLimit` and `trustProxy`. */
  readonly fastify?: Readonly<Record<string, unknown>>;
  /** Sets up prefix, pipes, filters, OpenAPI, before anything is listened to. */
  configure(app: NestFastifyApplication, config: Config): void | Promise<void>;
}
