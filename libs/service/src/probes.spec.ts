import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import fastify, { type FastifyInstance } from 'fastify';
import { addProbes, Degraded, NotReady, Readiness, type ReadinessCheck } from './probes.js';

describe('probes', () => {
  const open: { close(): Promise<unknown> }[] = [];
  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

  async function serverWith(...checks: ReadinessCheck[]): Promise<FastifyInstance> {
    const context = await NestFactory.createApplicationContext(TerminusModule.forRoot({ logger: false }), { logger: false });
    const server = fastify();
    open.push(context, server);
    addProbes(server, new Readiness(context.get(HealthCheckService), context.get(HealthIndicatorService), checks));
    return server;
  }

  const failing = (error: Error): ReadinessCheck => ({ name: 'database', check: () => Promise.reject(error) });

  it('is ready when all it needs answers', async () => {
    const server = await serverWith({ name: 'outbox', check: () => Promise.resolve({ lagSeconds: 0 }) });
    const answer = await server.inject('/health/ready');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ status: 'ok', details: { outbox: { status: 'up', lagSeconds: 0 } } });
  });

  it('is not ready when something is missing, and is still alive', async () => {
    const server = await serverWith(failing(new NotReady('2 migrations are pending')));
    const answer = await server.inject('/health/ready');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ status: 'error', error: { database: { message: '2 migrations are pending' } } });
    expect((await server.inject('/health/live')).json()).toEqual({ status: 'ok' });
  });

  it('names no host to whoever asks', async () => {
    const server = await serverWith(failing(new Error('connect ECONNREFUSED 10.1.2.3:5432')));
    expect((await server.inject('/health/ready')).body).not.toContain('10.1.2.3');
  });

  it('stays ready when degraded, so that a slow broker does not take every replica away', async () => {
    const server = await serverWith(failing(new Degraded('events wait for 40 s')));
    const answer = await server.inject('/health/ready');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ status: 'degraded', details: { database: { message: 'events wait for 40 s' } } });
  });

  it('shows the metrics', async () => {
    const answer = await (await serverWith()).inject('/metrics');
    expect(answer.headers['content-type']).toContain('text/plain');
    expect(answer.body).toContain('# TYPE stock_reservations_total counter');
  });
});
