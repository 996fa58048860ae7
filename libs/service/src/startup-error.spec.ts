import { connect, createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { explainStartupFailure, StartupError } from './startup-error.js';

async function failureOf(act: () => { once(event: 'error', listener: (error: Error) => void): unknown }): Promise<Error> {
  return await new Promise((resolve) => act().once('error', resolve));
}

async function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { server, port: (server.address() as AddressInfo).port };
}

describe('explainStartupFailure', () => {
  it('says in one line that a port is taken', async () => {
    const { server, port } = await listening();
    const failure = await failureOf(() => createServer().listen(port, '127.0.0.1'));
    server.close();
    expect(explainStartupFailure(failure)).toMatch(
      new RegExp(`^Port ${port} is taken by another program\\. Stop it, or choose another.*$`),
    );
  });

  it('says in one line that nothing answers, also from within what a library made of it', async () => {
    const { server, port } = await listening();
    server.close();
    const failure = await failureOf(() => connect(port, '127.0.0.1'));
    const wrapped = new Error('could not be opened', { cause: new AggregateError([failure]) });
    for (const error of [failure, wrapped]) {
      expect(explainStartupFailure(error)).toBe(
        `Nothing answers at 127.0.0.1:${port}. Start it, or say where it is with DATABASE_URL (PostgreSQL) or AMQP_URL (RabbitMQ).`,
      );
    }
  });

  it('keeps what was written for people, and the stack of a defect', () => {
    expect(explainStartupFailure(new StartupError('PORT is wrong'))).toBe('PORT is wrong');
    expect(explainStartupFailure(new TypeError('x is undefined'))).toContain('startup-error.spec.ts');
    expect(explainStartupFailure('odd')).toBe('odd');
  });
});
