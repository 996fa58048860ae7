import { NotFoundException } from '@nestjs/common';
import { conflict, HoldfastError, invalid, unavailable } from '#libs/domain';
import { retryAfterSeconds, STATUS_OF_KIND, toProblem } from './problem.js';

describe('toProblem', () => {
  it('answers each kind of error with its status and code', () => {
    for (const [kind, status] of Object.entries(STATUS_OF_KIND)) {
      const error = new HoldfastError(kind as keyof typeof STATUS_OF_KIND, 'SOME_CODE', 'What happened.');
      expect(toProblem(error, '/api/v1/orders')).toMatchObject({
        type: 'urn:holdfast:problem:some-code',
        title: 'Some code',
        status,
        code: 'SOME_CODE',
        instance: '/api/v1/orders',
      });
    }
  });

  it('passes details on, but never over what every problem has', () => {
    const lines = [{ lineNo: 1, itemId: 'a', warehouseId: 'w', requested: '2', available: '1' }];
    const error = conflict('INSUFFICIENT_STOCK', 'Too little.', {
      lines,
      discrepancyIds: [],
      status: 'x',
      code: 'y',
      type: 'z',
      detail: 'd',
    });
    expect(toProblem(error, '/')).toMatchObject({
      lines,
      discrepancyIds: [],
      status: 409,
      code: 'INSUFFICIENT_STOCK',
      detail: 'Too little.',
    });
    expect(toProblem(invalid('No.', [{ path: 'a', message: 'b' }]), '/')).toMatchObject({ errors: [{ path: 'a', message: 'b' }] });
  });

  it('tells nothing of what was not foreseen', () => {
    const error = Object.assign(new Error('relation "order" of db-7.internal does not exist'), { code: '42P01', query: 'select secret' });
    const problem = JSON.stringify(toProblem(error, '/'));
    expect(problem).toContain('"status":500');
    expect(problem).not.toMatch(/relation|db-7|secret|stack/);
    expect(JSON.stringify(toProblem(new HoldfastError('bug', 'INTERNAL', 'at line 7', { sql: 'x' }), '/'))).not.toMatch(/line 7|sql/);
    expect(JSON.stringify(toProblem('a text that was thrown', '/'))).not.toContain('thrown');
  });

  it('takes a database that is away for unavailable', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:5432'), { code: 'ECONNREFUSED', syscall: 'connect' });
    expect(toProblem(refused, '/')).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(JSON.stringify(toProblem(refused, '/'))).not.toContain('10.0.0.1');
  });

  it('speaks for Nest and Fastify', () => {
    const fastify = (statusCode: number) => Object.assign(new Error('FST_ERR'), { statusCode });
    expect(toProblem(new NotFoundException('Cannot GET /x'), '/x')).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(toProblem(fastify(413), '/')).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
    expect(toProblem(fastify(400), '/')).toMatchObject({ status: 400, code: 'MALFORMED_REQUEST' });
    expect(toProblem(fastify(415), '/')).toMatchObject({ status: 400, code: 'MALFORMED_REQUEST' });
    expect(toProblem(fastify(500), '/')).toMatchObject({ status: 500, code: 'INTERNAL' });
  });

  it('says when to try again', () => {
    expect(retryAfterSeconds(toProblem(unavailable('Wait.'), '/'))).toBe(1);
    expect(retryAfterSeconds(toProblem(unavailable('Wait.', { retryAfterSeconds: 5 }), '/'))).toBe(5);
    expect(retryAfterSeconds(toProblem(conflict('IDEMPOTENCY_IN_PROGRESS', 'Wait.'), '/'))).toBe(1);
    expect(retryAfterSeconds(toProblem(conflict('INSUFFICIENT_STOCK', 'No.'), '/'))).toBeUndefined();
  });
});
