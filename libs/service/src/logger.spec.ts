import { Logger as NestLoggerFacade } from '@nestjs/common';
import { traceIdOf, withLogContext } from './log-context.js';
import { createLogger, NestLogger } from './logger.js';

async function logging(level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const logger = new NestLogger(await createLogger({ service: 'inventory', level, format: 'json', destination }));
  return { lines, logger };
}

describe('logging', () => {
  it('carries organisation, order and trace of the message through everything that is awaited', async () => {
    const { lines, logger } = await logging();
    NestLoggerFacade.overrideLogger(logger);
    const relay = new NestLoggerFacade('Relay');
    const traceId = traceIdOf('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');

    await withLogContext({ orgId: 'acme', traceId }, async () => {
      await new Promise(setImmediate);
      withLogContext({ orderId: 'o-1' }, () => relay.log('published'));
    });
    relay.warn('alone');

    expect(lines).toEqual([
      expect.objectContaining({
        level: 'info',
        service: 'inventory',
        logger: 'Relay',
        msg: 'published',
        orgId: 'acme',
        orderId: 'o-1',
        traceId: '0af7651916cd43dd8448eb211c80319c',
      }),
      expect.not.objectContaining({ orgId: 'acme' }),
    ]);
  });

  it('keeps the stack of an error, given as error or as text', async () => {
    const { lines, logger } = await logging();
    logger.error(new Error('boom'), 'Batch');
    logger.error('failed', 'Error: boom\n    at here', 'Batch');
    logger.error('failed', new Error('boom'), { attempt: 2 });
    expect(lines[0]).toMatchObject({ logger: 'Batch', msg: 'boom', err: { stack: expect.stringContaining('boom') as string } });
    expect(lines[1]).toMatchObject({ logger: 'Batch', msg: 'failed', stack: 'Error: boom\n    at here' });
    expect(lines[2]).toMatchObject({ msg: 'failed', attempt: 2, err: { message: 'boom' } });
  });

  it('leaves out what the level hides', async () => {
    const { lines, logger } = await logging('warn');
    logger.log('hidden');
    expect(lines).toEqual([]);

    const atInfo = await logging();
    atInfo.logger.log('AppModule dependencies initialized', 'InstanceLoader');
    expect(atInfo.lines).toEqual([]);
  });
});
