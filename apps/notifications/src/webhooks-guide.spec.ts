import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aNotice } from './sending/notice.fixture.js';
import { Reachable } from './sending/reachable.js';
import { signWebhook } from './sending/webhook-signature.js';
import { WebhookSender } from './sending/webhook-sender.js';

// The receiver that docs/webhooks.md shows, as it stands there, against what is really sent.

const guide = readFileSync(join(import.meta.dirname, '../../../docs/webhooks.md'), 'utf8');
const [, code] = /```js\n([^]*?)```/.exec(guide)!;
const directory = mkdtempSync(join(tmpdir(), 'holdfast-webhooks-'));
const sender = new WebhookSender({ reachable: new Reachable(['127.0.0.1/32']), resolve: () => Promise.resolve([]) });

let receiver: ChildProcess;
let output = '';
let url: string;

beforeAll(async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const file = join(directory, 'receiver.mjs');
  writeFileSync(file, code!);
  receiver = spawn(process.execPath, [file], {
    env: { PORT: String(port), WEBHOOK_KEY: aNotice.secret! },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  receiver.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(receiver.stdout!, 'data');
  url = `http://127.0.0.1:${port}/`;
});
afterAll(async () => {
  receiver.kill();
  await once(receiver, 'close');
  rmSync(directory, { recursive: true });
});

const goOn = new AbortController().signal;
const send = (more: Partial<typeof aNotice> = {}) => sender.send({ ...aNotice, target: url, ...more }, goOn);

it('takes what Holdfast sends, and a repeat once', async () => {
  await send();
  await send();
  expect(output).toBe('listening\nLowStockDetected: Low stock: coffee-1kg in berlin\n');
});

it('refuses what is signed with another key, changed, or old', async () => {
  const otherKey = `whsec_${Buffer.from('another key, and as long as that').toString('base64')}`;
  await expect(send({ deliveryId: '2', secret: otherKey })).rejects.toThrow('The receiver answered 401.');
  const post = async (ageSeconds: number, body: string, signed = body, more = '') => {
    const timestamp = String(Math.floor(Date.now() / 1_000) - ageSeconds);
    const signature = more + signWebhook(aNotice.secret!, '3', timestamp, Buffer.from(signed));
    const headers = { 'webhook-id': '3', 'webhook-timestamp': timestamp, 'webhook-signature': signature };
    return (await fetch(url, { method: 'POST', headers, body })).status;
  };
  const body = JSON.stringify({ type: 'Test', title: 'three' });
  expect(await post(0, body.replace('three', 'four'), body)).toBe(401);
  expect(await post(301, body)).toBe(401);
  expect(await post(-301, body)).toBe(401);
  expect((await fetch(url, { method: 'POST', body })).status).toBe(401);
  expect(output).not.toContain('three');
  // Among several signatures one must be right.
  expect(await post(299, body, body, 'v1,AAAA v2,xyz ')).toBe(204);
  expect(output).toContain('Test: three\n');
});

it('shows a request as it is sent', () => {
  const shown = JSON.parse(/\n(\{\n {2}"deliveryId"[^]*?\n\})/.exec(guide)![1]!) as { text: string };
  const { deliveryId, eventType, eventId, orgId, subject, occurredAt, title, lines, data } = aNotice;
  const timestamp = occurredAt.toISOString();
  expect(shown).toEqual({ deliveryId, type: eventType, eventId, orgId, subject, timestamp, title, text: lines.join('\n'), data });
});
