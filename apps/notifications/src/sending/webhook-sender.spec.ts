import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { Receiver, TEST_CERTIFICATE } from '#libs/testing';
import { aNotice } from './notice.fixture.js';
import { Reachable } from './reachable.js';
import { NotSent, type OutgoingNotice } from './sender.js';
import { nameServers, WebhookSender, type WebhookOptions } from './webhook-sender.js';

const LOOPBACK = ['127.0.0.1/32'];
const PUBLIC = '93.184.216.34';
const goOn = new AbortController().signal;

let receiver: Receiver;
beforeEach(async () => (receiver = await Receiver.open()));
afterEach(() => receiver.close());

/** A sender in a world where every name has these addresses. */
const sender = (addresses: readonly string[] = ['127.0.0.1'], allow: readonly string[] = LOOPBACK, more: Partial<WebhookOptions> = {}) =>
  new WebhookSender({ reachable: new Reachable(allow), resolve: () => Promise.resolve(addresses), ...more });

/** Why it was not sent. */
async function refusal(from: WebhookSender, target: string, notice: Partial<OutgoingNotice> = {}): Promise<NotSent> {
  const error: unknown = await from.send({ ...aNotice, target, ...notice }, goOn).then(
    () => new Error('It was sent.'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof NotSent)) throw error;
  return error;
}

describe('a webhook', () => {
  it('is a signed POST with what happened, for people and for programs', async () => {
    await sender().send({ ...aNotice, target: receiver.url('/hook?a=b', 'hooks.test') }, goOn);
    const [request] = receiver.received;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/hook?a=b',
      headers: {
        host: `hooks.test:${receiver.port}`,
        'content-type': 'application/json',
        'webhook-id': aNotice.deliveryId,
        'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
        'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
      },
    });
    expect(JSON.parse(request!.body.toString())).toEqual({
      deliveryId: aNotice.deliveryId,
      type: 'LowStockDetected',
      eventId: aNotice.eventId,
      orgId: 'acme',
      subject: 'coffee-1kg',
      timestamp: '2026-03-01T10:00:00.000Z',
      title: aNotice.title,
      text: aNotice.lines.join('\n'),
      data: aNotice.data,
    });
  });

  it('has the same id and body in each attempt', async () => {
    for (let attempt = 0; attempt < 2; attempt++) await sender().send({ ...aNotice, target: receiver.url() }, goOn);
    const [first, second] = receiver.received;
    expect([second!.headers['webhook-id'], second!.body]).toEqual([first!.headers['webhook-id'], first!.body]);
  });

  it('goes over TLS to who has the certificate of the name, though the address was looked up before', async () => {
    const secure = await Receiver.open(TEST_CERTIFICATE);
    try {
      const trusting = sender(undefined, undefined, { ca: TEST_CERTIFICATE.cert });
      await trusting.send({ ...aNotice, target: secure.url('/', 'hooks.test') }, goOn);
      expect(secure.received).toHaveLength(1);
      const other = await refusal(trusting, secure.url('/', 'other.test'));
      expect(other.message).toBe('The receiver could not be reached (ERR_TLS_CERT_ALTNAME_INVALID).');
      const unknown = await refusal(sender(), secure.url('/', 'hooks.test'));
      expect(unknown.message).toBe('The receiver could not be reached (DEPTH_ZERO_SELF_SIGNED_CERT).');
      expect(secure.received).toHaveLength(1);
    } finally {
      await secure.close();
    }
  });
});

describe('an address that is not public', () => {
  it.each([
    ['by itself', (port: number) => `https://127.0.0.1:${port}/`, ['127.0.0.1']],
    ['by itself, written as a number', (port: number) => `https://2130706433:${port}/`, ['127.0.0.1']],
    ['by itself, in IPv6', (port: number) => `https://[::1]:${port}/`, ['::1']],
    ['by itself, of a metadata service', () => `https://169.254.169.254/latest/`, ['169.254.169.254']],
    ['behind a name', (port: number) => `https://hooks.test:${port}/`, ['127.0.0.1']],
    ['behind a name, in IPv6', (port: number) => `https://hooks.test:${port}/`, ['::1']],
    ['behind a name, mapped', (port: number) => `https://hooks.test:${port}/`, ['::ffff:127.0.0.1']],
    ['among public ones of a name', (port: number) => `https://hooks.test:${port}/`, [PUBLIC, '10.0.0.1']],
  ] as const)('%s is not connected to', async (_, target, addresses) => {
    const { message, isFinal } = await refusal(sender(addresses, []), target(receiver.port));
    expect([message, isFinal]).toEqual(['The host of the URL has an address that is not public, so nothing is sent to it.', false]);
    expect(receiver.connections).toBe(0);
  });

  it('is not reached by a name whose address changes between the check and the connection', async () => {
    // First an address that may be reached, then the one of the attacker's choice; the system's resolver would be asked again to connect.
    const answers = [['127.0.0.1'], ['127.0.0.2']];
    let asked = 0;
    const resolve = () => Promise.resolve(answers[Math.min(asked++, 1)]!);
    const rebinding = sender([], LOOPBACK, { resolve });
    await rebinding.send({ ...aNotice, target: receiver.url('/', 'rebinding.test') }, goOn);
    // It was asked once, and what it said then is what was connected to: no system knows this name.
    expect([asked, receiver.received.length]).toEqual([1, 1]);
    expect((await refusal(rebinding, receiver.url('/', 'rebinding.test'))).message).toContain('not public');
    expect(receiver.connections).toBe(1);
  });

  it('is reached where the operator allows its network, also without TLS', async () => {
    await sender().send({ ...aNotice, target: receiver.url() }, goOn);
    expect(receiver.received).toHaveLength(1);
  });

  it('that is public is not reached without TLS, also where some networks are allowed', async () => {
    expect((await refusal(sender([PUBLIC]), 'http://hooks.test/')).message).toBe('The URL must start with https://.');
    expect((await refusal(sender([PUBLIC], []), `http://${PUBLIC}/`)).message).toBe('The URL must start with https://.');
  });
});

describe('an answer', () => {
  it.each([301, 302, 303, 307, 308])('%i is not followed', async (status) => {
    const elsewhere = await Receiver.open();
    receiver.answer = (_, response) => response.writeHead(status, { location: elsewhere.url('/stolen') }).end();
    const { message, isFinal } = await refusal(sender(), receiver.url());
    expect([message, isFinal]).toEqual([
      `The receiver answered ${status}: redirects are not followed, so the URL must be where it leads to.`,
      false,
    ]);
    expect([receiver.received.length, elsewhere.connections]).toEqual([1, 0]);
    await elsewhere.close();
  });

  it.each([200, 201, 202, 204, 299])('%i says that it was taken', async (status) => {
    receiver.answer = (_, response) => response.writeHead(status).end();
    await expect(sender().send({ ...aNotice, target: receiver.url() }, goOn)).resolves.toBeUndefined();
  });

  it.each([400, 401, 404, 429, 500, 503])('%i says that it is to come again, and nothing else of it is told', async (status) => {
    receiver.answer = (_, response) => response.writeHead(status, 'Very secret', { 'x-secret': 'secret' }).end('secret');
    expect(await refusal(sender(), receiver.url())).toMatchObject({ message: `The receiver answered ${status}.`, isFinal: false });
  });

  it('410 says that it is not to come again', async () => {
    receiver.answer = (_, response) => response.writeHead(410).end();
    expect(await refusal(sender(), receiver.url())).toMatchObject({ isFinal: true });
  });

  it.each([
    ['120', 120_000],
    ['999999999', 3_600_000],
    ['soon', 0],
    ['-5', 0],
    [new Date(Date.now() - 60_000).toUTCString(), 0],
  ])('says with Retry-After: %s when', async (header, ms) => {
    receiver.answer = (_, response) => response.writeHead(503, { 'retry-after': header }).end();
    expect((await refusal(sender(), receiver.url())).retryAfterMs).toBe(ms);
  });

  it('may be endless: what is read of it is bounded', async () => {
    let written = 0;
    const ended = new Promise<void>((resolve) => {
      receiver.answer = (_, response) => {
        response.writeHead(200);
        const more = () => {
          while (response.writable && response.write('x'.repeat(16_384))) written += 16_384;
        };
        response.on('drain', more).on('close', resolve).on('error', resolve);
        more();
      };
    });
    await sender().send({ ...aNotice, target: receiver.url() }, goOn);
    await ended;
    // What is on its way in the buffers of both ends is lost with the connection.
    expect(written).toBeLessThan(16 * 1024 * 1024);
  });

  it('with an endless head is none', async () => {
    const endless = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\n');
      const line = `x-long: ${'y'.repeat(8_000)}\r\n`;
      for (let count = 0; count < 20; count++) socket.write(line);
    }).listen(0, '127.0.0.1');
    await once(endless, 'listening');
    const { port } = endless.address() as AddressInfo;
    expect((await refusal(sender(), `http://127.0.0.1:${port}/`)).message).toBe('The receiver could not be reached (HPE_HEADER_OVERFLOW).');
    endless.close();
  });

  it('that does not come in time is none', async () => {
    receiver.answer = () => {};
    const impatient = sender(undefined, undefined, { timeoutMs: 100 });
    expect((await refusal(impatient, receiver.url())).message).toBe('The receiver did not answer within 0.1 s.');
    const deaf = sender(undefined, undefined, { timeoutMs: 100, resolve: () => new Promise(() => {}) });
    expect((await refusal(deaf, receiver.url('/', 'hooks.test'))).message).toBe('The receiver did not answer within 0.1 s.');
  });

  it('is not waited for when the service stops', async () => {
    receiver.answer = () => {};
    const stopping = new AbortController();
    const sent = sender().send({ ...aNotice, target: receiver.url() }, stopping.signal);
    setTimeout(() => stopping.abort(), 50);
    await expect(sent).rejects.toBeInstanceOf(NotSent);
  });
});

describe('a host that', () => {
  it('is not known or not there is said to be so', async () => {
    expect((await refusal(sender([]), 'https://hooks.test/')).message).toBe('The host of the URL is not known.');
    const { port } = receiver;
    await receiver.close();
    expect((await refusal(sender(), `http://127.0.0.1:${port}/`)).message).toBe('The receiver could not be reached (ECONNREFUSED).');
    receiver = await Receiver.open();
  });

  it('only the system knows is found where the operator allows networks', async () => {
    expect(await nameServers(true)('localhost')).toContain('127.0.0.1');
  });
});
