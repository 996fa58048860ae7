import { unsafeSwitch } from './inbox.js';

describe.each(['HOLDFAST_UNSAFE_NO_INBOX', 'HOLDFAST_UNSAFE_NO_SWEEP', 'HOLDFAST_UNSAFE_NO_BUSINESS_KEYS'] as const)('%s', (name) => {
  const { NODE_ENV } = process.env;

  afterEach(() => {
    delete process.env[name];
    process.env['NODE_ENV'] = NODE_ENV;
  });

  it('is off unless it is said', () => {
    expect(unsafeSwitch(name)).toBe(false);
    process.env[name] = '1';
    expect(unsafeSwitch(name)).toBe(true);
  });

  it('is refused in production', () => {
    process.env[name] = '1';
    process.env['NODE_ENV'] = 'production';
    expect(() => unsafeSwitch(name)).toThrow('refused in production');
  });
});
