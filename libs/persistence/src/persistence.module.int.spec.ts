import { join } from 'node:path';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { createTestDatabase } from '#libs/testing';
import type { TestDatabase } from '#libs/testing';
import { Database, MESSAGING_DATABASE, PersistenceModule } from './index.js';

const role = (database: Database) =>
  database.transaction(
    [],
    async (tx) => (await tx.rows<{ role: string; path: string }>(`select current_user as role, current_schema() as path`))[0]!,
  );

describe('PersistenceModule', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await createTestDatabase(['left', 'right'], { directories: [join(import.meta.dirname, 'test-migrations')] });
  });
  afterAll(() => test.drop());

  it('gives each of two services in one application its own database, and closes their connections', async () => {
    @Injectable()
    class Reader {
      constructor(
        readonly database: Database,
        @Inject(MESSAGING_DATABASE) readonly messaging: Database,
      ) {}
    }
    @Module({ imports: [PersistenceModule.forService({ url: test.url, service: 'left' })], providers: [Reader] })
    class LeftModule {}
    @Module({ imports: [PersistenceModule.forService({ url: test.url, service: 'right' })], providers: [Reader] })
    class RightModule {}
    @Module({ imports: [LeftModule, RightModule] })
    class BothModule {}

    const app = await NestFactory.createApplicationContext(BothModule, { logger: ['error'] });
    const name = new URL(test.url).pathname.slice(1);
    const left = app.select(LeftModule).get(Reader, { strict: true });
    const right = app.select(RightModule).get(Reader, { strict: true });
    expect(await role(left.database)).toEqual({ role: `${name}_left`, path: 'left' });
    expect(await role(right.database)).toEqual({ role: `${name}_right`, path: 'right' });
    expect(await role(right.messaging)).toEqual({ role: `${name}_messaging`, path: 'right' });
    expect(app.get<DataSource>(getDataSourceToken('left'), { strict: false })).toBe(left.database.dataSource);

    await app.close();
    // The server notices a moment later.
    const connections = () =>
      test.rows(`select pid from pg_stat_activity where datname = current_database() and application_name ~ '^holdfast-'`);
    for (let tries = 0; tries < 50 && (await connections()).length > 0; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await connections()).toEqual([]);
  });
});
