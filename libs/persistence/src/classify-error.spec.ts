import { classifyError } from './classify-error.js';
import type { ErrorClass } from './classify-error.js';

const withCode = (code: string, more: object = {}) => Object.assign(new Error('failed'), { code }, more);

describe('classifyError', () => {
  it.each<[string, ErrorClass]>([
    ['40001', 'retry'],
    ['40P01', 'retry'],
    ['08006', 'retry'],
    ['08001', 'retry'],
    ['55P03', 'retry'],
    ['53300', 'pause'],
    ['53100', 'pause'],
    ['57P01', 'pause'],
    ['57014', 'pause'],
    ['22P02', 'split'],
    ['22021', 'split'],
    ['23505', 'split'],
    ['23514', 'split'],
    ['42P01', 'bug'],
    ['25P02', 'bug'],
    ['XX000', 'bug'],
  ])('takes SQLSTATE %s for %s', (code, expected) => expect(classifyError(withCode(code))).toBe(expected));

  it('tells a lost connection from a server that is not there', () => {
    expect(classifyError(withCode('ECONNRESET', { syscall: 'read' }))).toBe('retry');
    expect(classifyError(new Error('Connection terminated unexpectedly'))).toBe('retry');
    expect(classifyError(withCode('ECONNREFUSED', { syscall: 'connect' }))).toBe('pause');
    expect(classifyError(withCode('ETIMEDOUT', { syscall: 'read' }))).toBe('retry');
    expect(classifyError(withCode('ENOENT', { syscall: 'connect' }))).toBe('pause');
    expect(classifyError(new AggregateError([withCode('ECONNREFUSED', { syscall: 'connect' })]))).toBe('pause');
    expect(classifyError(new Error('timeout exceeded when trying to connect'))).toBe('pause');
  });

  it('takes everything else for a bug, a missing file too', () => {
    expect(classifyError(withCode('ENOENT', { syscall: 'open' }))).toBe('bug');
    expect(classifyError(new TypeError('x is undefined'))).toBe('bug');
    expect(classifyError('text')).toBe('bug');
  });
});
