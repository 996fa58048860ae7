import { Reachable } from '../sending/reachable.js';
import { checkEvents, checkSecret, checkTarget } from './channel.rules.js';

const nobody = new Reachable([]);
const intranet = new Reachable(['10.1.0.0/16']);
const key = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;

describe('the target of a channel', () => {
  it.each([
    ['email', 'ann@example.com'],
    ['email', "o'neil+stock@mail.example.co.uk"],
    ['telegram', '123456789'],
    ['telegram', '-1001234567890'],
    ['telegram', '@stock_channel'],
    ['webhook', 'https://hooks.example.com/holdfast?token=1'],
    ['webhook', 'https://hooks.example.com:8443/'],
    ['webhook', 'https://93.184.216.34/'],
  ] as const)('%s may be %s', (kind, target) => expect(checkTarget(kind, target, nobody)).toEqual([]));

  it.each([
    ['email', 'ann'],
    ['email', 'ann@localhost'],
    ['email', 'ann@example.com, eve@example.com'],
    ['email', 'Ann <ann@example.com>'],
    ['email', 'ann@example.com\r\nBcc: eve@example.com'],
    ['email', `${'a'.repeat(250)}@example.com`],
    ['telegram', 'stock_channel'],
    ['telegram', '12 34'],
    ['telegram', '@a'],
    ['webhook', 'hooks.example.com'],
    ['webhook', 'http://hooks.example.com/'],
    ['webhook', 'ftp://hooks.example.com/'],
    ['webhook', 'file:///etc/passwd'],
    ['webhook', 'https://user:password@hooks.example.com/'],
    ['webhook', 'https://hooks.example.com/#fragment'],
    ['webhook', 'https://127.0.0.1/'],
    ['webhook', 'https://0x7f000001/'],
    ['webhook', 'https://[::1]/'],
    ['webhook', 'https://[::ffff:10.0.0.1]/'],
    ['webhook', 'https://169.254.169.254/latest/meta-data/'],
  ] as const)('%s may not be %s', (kind, target) => {
    expect(checkTarget(kind, target, nobody)).toEqual([{ path: 'target', message: expect.stringMatching(/^must /) }]);
  });

  it('may be what the operator allows, also without TLS', () => {
    const allowed = ['http://10.1.2.3/', 'https://10.1.2.3/', 'http://intranet.example.com/'];
    expect(allowed.flatMap((target) => checkTarget('webhook', target, intranet))).toEqual([]);
    expect(['http://10.2.0.1/', 'http://1.1.1.1/'].flatMap((target) => checkTarget('webhook', target, intranet))).toHaveLength(2);
  });
});

describe('the secret of a channel', () => {
  it.each([
    ['email', undefined],
    ['telegram', '123456:ABCdefGHIjklMNOpqrSTUvwx-_1234'],
    ['webhook', key(24)],
    ['webhook', key(64)],
    ['webhook', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  ] as const)('%s may be %s', (kind, secret) => expect(checkSecret(kind, secret)).toEqual([]));

  it.each([
    ['email', 'anything'],
    ['telegram', undefined],
    ['telegram', '98765'],
    ['telegram', '123456:ABCdefGHIjklMNOpqrSTUvwx/../../x'],
    ['webhook', undefined],
    ['webhook', 'password'],
    ['webhook', key(23)],
    ['webhook', key(65)],
    ['webhook', `whsec_${'!'.repeat(40)}`],
    ['webhook', key(32).slice('whsec_'.length)],
  ] as const)('%s may not be %s', (kind, secret) => {
    const [error, ...others] = checkSecret(kind, secret);
    expect([error, others]).toEqual([{ path: 'secret', message: expect.stringMatching(/^must /) }, []]);
    // What is wrong with a secret is said without it.
    if (secret !== undefined) expect(error!.message).not.toContain(secret);
  });
});

describe('the events of a channel', () => {
  it('are those that people are told of', () => {
    expect([checkEvents(null, ['A']), checkEvents(undefined, ['A']), checkEvents(['A'], ['A', 'B'])]).toEqual([[], [], []]);
    expect(checkEvents(['A', 'C'], ['A', 'B'])).toEqual([{ path: 'events.1', message: 'must be one of A, B' }]);
  });
});
