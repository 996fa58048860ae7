import 'reflect-metadata';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Headers, Logger, Module, Param } from '@nestjs/common';
import { OrderGet, type ResponseOf } from '#libs/contracts';
import { InProcessDelivery, type MessageContext, OnCall, RpcClient } from '#libs/messaging';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { loadConfig } from './config.js';
import { createLogger, NestLogger } from './logger.js';
import type { Service } from './service.js';
import { type RunningService, startService } from './start-service.js';
import { startTracing, type Tracing } from './tracing.js';

const logger = new Logger('Test');
let traceparent: string | undefined;

@Controller()
class Answering {
  @OnCall(OrderGet)
  get(_request: { orderId: string }, context: MessageContext): Promise<ResponseOf<typeof OrderGet>> {
    traceparent = context.traceparent;
    logger.log('answering');
    return Promise.resolve({} as ResponseOf<typeof OrderGet>);
  }
}

@Controller()
class Asking {
  constructor(private readonly rpc: RpcClient) {}

  @Get(':orderId')
  get(@Param('orderId') orderId: string, @Headers('traceparent') traceparent: string) {
    logger.log('asking');
    return this.rpc.call(OrderGet, { orgId: 'acme', orderId }, { traceparent });
  }
}

@Module({ controllers: [Answering] })
class AnsweringModule {}
@Module({ controllers: [Asking] })
class AskingModule {}

const answering: Service = { service: 'orders', module: AnsweringModule };
const asking: Service = { service: 'gateway', module: AskingModule, http: { configure: () => {} } };
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CLIENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;

interface Exported {
  resourceSpans: { scopeSpans: { spans: { name: string; traceId: string; parentSpanId?: string; spanId: string }[] }[] }[];
}

describe('what is logged and traced', () => {
  let database: TestDatabase;
  let collector: Server;
  let tracing: Tracing;
  const lines: Record<string, unknown>[] = [];
  const exported: Exported[] = [];
  const running: RunningService[] = [];

  beforeAll(async () => {
    database = await createTestDatabase(['orders', 'gateway']);
    collector = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url === '/v1/traces') exported.push(JSON.parse(Buffer.concat(chunks).toString()) as Exported);
        response.end('{}');
      });
    });
    await new Promise<void>((done) => collector.listen(0, '127.0.0.1', done));
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    Object.assign(process.env, {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_METRICS_EXPORTER: 'none',
    });
    const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    const nestLogger = new NestLogger(await createLogger({ service: 'test', level: 'info', format: 'json', destination }));
    Logger.overrideLogger(nestLogger);
    const config = loadConfig({ DATABASE_URL: database.url, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    tracing = (await startTracing('test', config))!;
    const options = { config, delivery: new InProcessDelivery(), logger: nestLogger, tracing };
    running.push(await startService(answering, { ...options, port: null }), await startService(asking, { ...options, port: 0 }));
  }, 60_000);

  afterAll(async () => {
    for (const service of running.reverse()) await service.close();
    collector.close();
    await database.drop();
  });

  it('names trace, organisation and order in each line, and joins request and call into one trace', async () => {
    await fetch(`${running[1]!.url}/o-7`, { headers: { traceparent: CLIENT } });

    expect(lines).toContainEqual(expect.objectContaining({ msg: 'asking', traceId: TRACE_ID }));
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'answering', traceId: TRACE_ID, orgId: 'acme', orderId: 'o-7' }));
    await tracing.stop();
    const spans = exported.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    );
    const request = spans.find(({ name }) => name === 'GET /:orderId')!;
    expect(request).toMatchObject({ traceId: TRACE_ID, parentSpanId: 'b7ad6b7169203331' });
    expect(traceparent).toBe(`00-${TRACE_ID}-${request.spanId}-01`);
    expect(spans).toContainEqual(expect.objectContaining({ name: 'orders.get', traceId: TRACE_ID, parentSpanId: request.spanId }));
  });
});
