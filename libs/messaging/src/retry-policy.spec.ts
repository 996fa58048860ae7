import { conflict, HoldfastError, unavailable } from '#libs/domain';
import { RetryLater } from './handlers.js';
import { classifyFailure } from './retry-policy.js';

const sqlError = (code: string) => Object.assign(new Error('of the database'), { code });

describe('classifyFailure', () => {
  it.each([
    ['a handler that waits for something', new RetryLater('not yet'), 'transient', 'RETRY_LATER'],
    ['a service that does not answer', unavailable('no answer'), 'transient', 'UNAVAILABLE'],
    ['a refusal', conflict('ALREADY_EXISTS', 'exists'), 'permanent', 'ALREADY_EXISTS'],
    ['a defect said to be one', new HoldfastError('bug', 'BROKEN', 'broken'), 'transient', 'BROKEN'],
    ['any other defect', new TypeError('undefined is not a function'), 'transient', 'INTERNAL'],
    ['something that is no error', 'text', 'transient', 'INTERNAL'],
    ['a deadlock that retries did not solve', sqlError('40P01'), 'transient', 'DATABASE_CONFLICT'],
    ['a value that the database refuses', sqlError('22003'), 'permanent', 'DATA_REFUSED'],
    ['a broken constraint', sqlError('23514'), 'permanent', 'DATA_REFUSED'],
    ['a database without room', sqlError('53100'), 'pause', 'DATABASE_UNAVAILABLE'],
    ['a database that shuts down', sqlError('57P01'), 'pause', 'DATABASE_UNAVAILABLE'],
  ])('takes %s for what it is', (_what, error, kind, code) => {
    expect(classifyFailure(error)).toMatchObject({ kind, code });
  });
});
