import { Inject, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationShutdown } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Database } from './database.js';
import { dataSourceOptions, openMessagingDatabase } from './open-database.js';
import type { DatabaseOptions } from './open-database.js';

/** Injects the {@link Database} that works with the messaging role. */
export const MESSAGING_DATABASE = Symbol('MESSAGING_DATABASE');

export interface PersistenceModuleOptions extends DatabaseOptions {
  /** Makes the providers visible in every module of the application; default false. */
  readonly global?: boolean;
  /** Connections of the messaging role; default 4. */
  readonly messagingPoolSizeMax?: number;
}

const MESSAGING_POOL_SIZE_MAX = 4;

/**
 * Provides {@link Database} (the service's role), {@link MESSAGING_DATABASE} and, through @nestjs/typeorm, the `DataSource` named after the
 * service. Connections are closed on shutdown, after everything that uses them has drained.
 */
@Module({})
export class PersistenceModule implements OnApplicationShutdown {
  readonly #messaging: Database;

  constructor(@Inject(MESSAGING_DATABASE) messaging: Database) {
    this.#messaging = messaging;
  }

  static forService(options: PersistenceModuleOptions): DynamicModule {
    const { service, url } = options;
    const poolSizeMax = options.messagingPoolSizeMax ?? MESSAGING_POOL_SIZE_MAX;
    return {
      module: PersistenceModule,
      global: options.global ?? false,
      // Whether to wait for a database that is not there yet is for whoever starts the process; here it fails at once.
      imports: [TypeOrmModule.forRoot({ ...dataSourceOptions(options), name: service, retryAttempts: 0 })],
      providers: [
        { provide: Database, inject: [getDataSourceToken(service)], useFactory: (dataSource: DataSource) => new Database(dataSource) },
        { provide: MESSAGING_DATABASE, useFactory: () => openMessagingDatabase({ url, service, poolSizeMax }) },
      ],
      exports: [Database, MESSAGING_DATABASE],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#messaging.close();
  }
}
