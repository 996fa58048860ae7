import { request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  IMPORT_BYTES_MAX,
  IMPORT_PART_BYTES,
  ImportCancel,
  ImportGet,
  ImportReceive,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { conflict, notFound, unavailable } from '#libs/domain';
import { startTestGateway, type TestGateway } from '#libs/testing';
import { gateway } from '../index.js';
import { aCancelledImport, aFailedImport } from './import.examples.js';

let test: TestGateway;
let admin: string;
beforeAll(async () => {
  test = await startTestGateway(gateway);
  admin = await test.token('acme', 'ann', ['admin']);
});
afterAll(() => test.stop());
beforeEach(() => {
  test.inventory.calls.splice(0);
  test.inventory.answers(ImportReceive, taken);
  test.inventory.answers(ImportCancel, () => aCancelledImport);
});

function taken({ importId, kind, last, dryRun = false }: RequestOf<typeof ImportReceive>): ResponseOf<typeof ImportReceive> {
  return { importId, kind, dryRun, status: last ? 'validating' : 'receiving' };
}

const FILE = 'itemId,name\na,A\n';
const post = (text: string, headers: Record<string, string> = {}, path = '/imports/items', token = admin) =>
  test.send('POST', path, { token, text, headers: { 'content-type': 'text/csv', ...headers } });

interface Sent {
  readonly importId: string;
  readonly kind: string;
  readonly part: number;
  readonly data: string;
  readonly last: boolean;
  readonly dryRun?: boolean;
}
const sent = () =>
  test.inventory.calls.filter(({ pattern }) => pattern === ImportReceive.pattern).map(({ request }) => request as unknown as Sent);
const received = (parts = sent()) => Buffer.concat(parts.map(({ data }) => Buffer.from(data, 'base64')));

/** A request whose body is written piece by piece; the status, or what ended it. */
async function stream(write: (body: ReturnType<typeof httpRequest>) => Promise<void>, headers: Record<string, string> = {}) {
  const request = httpRequest(`${test.url}/api/v1/imports/items`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'text/csv', ...headers },
  });
  const answer = new Promise<{ status: number; body: Record<string, unknown> } | string>((resolve) => {
    request.on('error', (error) => resolve(error.message));
    request.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) as Record<string, unknown> }));
    });
  });
  await write(request);
  return await answer.finally(() => request.destroy());
}

async function eventually(isSo: () => boolean): Promise<void> {
  for (const until = Date.now() + 10_000; !isSo(); await delay(10)) if (Date.now() > until) throw new Error('It did not come to that.');
}

describe('a file', () => {
  it('is handed on part by part, byte for byte, and answered with the id of its import', async () => {
    for (const bytes of [0, 1, IMPORT_PART_BYTES - 1, IMPORT_PART_BYTES, IMPORT_PART_BYTES + 1, 3 * IMPORT_PART_BYTES, 2_000_003]) {
      test.inventory.calls.splice(0);
      const file = 'ä,b\n'.repeat(bytes / 5 + 1).slice(0, bytes);
      const { status, body } = await post(file);
      const parts = sent();
      expect([bytes, status, body]).toEqual([
        bytes,
        202,
        { importId: parts[0]!.importId, kind: 'items', status: 'validating', dryRun: false },
      ]);
      expect(received(parts).equals(Buffer.from(file))).toBe(true);
      expect(parts.map(({ part }) => part)).toEqual(parts.map((_, index) => index + 1));
      expect(parts.map(({ last }) => last)).toEqual(parts.map((_, index) => index === parts.length - 1));
      for (const { data, last } of parts) if (!last) expect(Buffer.from(data, 'base64')).toHaveLength(IMPORT_PART_BYTES);
    }
  });

  it('may be only checked', async () => {
    const { status, body } = await post(FILE, {}, '/imports/stock?dryRun=true');
    expect([status, body]).toEqual([202, { importId: sent()[0]!.importId, kind: 'stock', status: 'validating', dryRun: true }]);
  });

  it.each([
    ['application/json', {}],
    ['text/plain', {}],
    ['', {}],
    ['text/csv; charset=iso-8859-1', {}],
    ['text/csv', { 'content-encoding': 'gzip' }],
  ])('is CSV in UTF-8: %s %j is refused', async (type, headers) => {
    const { status, body } = await post(FILE, { ...headers, 'content-type': type });
    expect([status, body['code']]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    expect(sent()).toEqual([]);
  });

  it.each(['text/csv; charset=utf-8', 'TEXT/CSV;charset="UTF-8"; header=present'])('may say more of itself: %s', async (type) => {
    expect((await post(FILE, { 'content-type': type })).status).toBe(202);
  });

  it('is taken by imports alone', async () => {
    const answer = await post(FILE, {}, '/items');
    expect(answer).toMatchObject({ status: 400, body: { code: 'MALFORMED_REQUEST' } });
    expect(await post(FILE, {}, '/imports/orders')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('is refused at once when it says that it is larger than 64 MiB', async () => {
    const answer = await stream((body) => Promise.resolve(body.flushHeaders()), { 'content-length': String(IMPORT_BYTES_MAX + 1) });
    expect(answer).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE', detail: expect.stringContaining('64 MiB') } });
    expect(sent()).toEqual([]);
  });

  it('that turns out to be larger is refused then, and its import cancelled', async () => {
    const piece = Buffer.alloc(1_048_576, 'x');
    const answer = await stream(async (body) => {
      for (let n = 0; n <= 64; n++) if (!body.write(piece)) await new Promise((resolve) => body.once('drain', resolve));
      body.end();
    });
    expect(answer).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
    expect(test.inventory.calls.at(-1)).toMatchObject({ pattern: ImportCancel.pattern, request: { importId: sent()[0]!.importId } });
  }, 60_000);

  it('whose sender goes away is cancelled', async () => {
    await stream(async (body) => {
      body.write(Buffer.alloc(2 * IMPORT_PART_BYTES, 'x'));
      await eventually(() => sent().length > 0);
      body.destroy();
    });
    await eventually(() => test.inventory.calls.some(({ pattern }) => pattern === ImportCancel.pattern));
    expect(sent().every(({ last }) => !last)).toBe(true);
  });

  it('comes no faster than it is handed on, and is never held as a whole', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    test.inventory.answers(ImportReceive, async (request) => {
      if (request.part === 1) await held;
      return taken(request);
    });
    let written = 0;
    const bytes = 32 * 1_048_576;
    const answer = stream(async (body) => {
      const piece = Buffer.alloc(65_536, 'x');
      for (; written < bytes; written += piece.length) if (!body.write(piece)) await new Promise((resolve) => body.once('drain', resolve));
      body.end();
    });
    await eventually(() => sent().length === 1);
    await delay(500);
    // What both ends of the connection hold by themselves, and a part or two.
    expect(written).toBeLessThan(16 * 1_048_576);
    release();
    expect(await answer).toMatchObject({ status: 202 });
    expect(received()).toHaveLength(bytes);
  }, 60_000);

  it('is not asked for again when inventory was away for a moment', async () => {
    let failures = 2;
    test.inventory.answers(ImportReceive, (request) => {
      if (request.part === 2 && failures-- > 0) throw unavailable('restarting');
      return taken(request);
    });
    expect((await post('x'.repeat(2 * IMPORT_PART_BYTES))).status).toBe(202);
    expect(sent().map(({ part }) => part)).toEqual([1, 2, 2, 2]);
  });

  it('that is refused is read to its end all the same, so that its sender sees why', async () => {
    const sales = await test.token('acme', 'sue', ['sales']);
    const large = 'x'.repeat(5_000_000);
    expect(await post(large, {}, '/imports/items', sales)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    test.inventory.answers(ImportReceive, () => {
      throw conflict('INVALID_STATE', 'no');
    });
    expect(await post(large)).toMatchObject({ status: 409, body: { code: 'INVALID_STATE' } });
    // The connection goes on.
    expect((await test.send('GET', '/nothing', { token: admin })).status).toBe(404);
  });
});

describe('a file with an Idempotency-Key', () => {
  const keyed = (key: string, text = FILE, path = '/imports/items') => post(text, { 'idempotency-key': key }, path);

  it('is imported once', async () => {
    const first = await keyed('once');
    const parts = sent().length;
    const repeat = await keyed('once');
    expect([repeat.status, repeat.body, repeat.headers.get('idempotency-replayed')]).toEqual([202, first.body, 'true']);
    expect(sent()).toHaveLength(parts);
  });

  it('is refused when it is another one, or was only checked before', async () => {
    await keyed('other');
    expect(await keyed('other', `${FILE}b,B\n`)).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    expect(await keyed('other', FILE, '/imports/items?dryRun=true')).toMatchObject({ status: 422 });
    expect((await keyed('other')).status).toBe(202);
    await keyed('checked', FILE, '/imports/items?dryRun=true');
    expect((await keyed('checked')).status).toBe(422);
  });

  it('goes on under the same id when the first time came to nothing', async () => {
    test.inventory.answers(ImportReceive, (request) => {
      if (request.part === 2) throw unavailable('away');
      return taken(request);
    });
    const file = 'x'.repeat(IMPORT_PART_BYTES + 1);
    const first = await keyed('away', file);
    expect(first).toMatchObject({ status: 503, body: { importId: sent()[0]!.importId } });
    test.inventory.answers(ImportReceive, taken);
    expect(await keyed('away', file)).toMatchObject({ status: 202, body: { importId: first.body['importId'] } });
    expect(test.inventory.calls.some(({ pattern }) => pattern === ImportCancel.pattern)).toBe(false);
  });

  it('is another one when a part differs from what came before', async () => {
    test.inventory.answers(ImportReceive, () => {
      throw conflict('ALREADY_EXISTS', 'exists with another file');
    });
    expect(await keyed('differs')).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    // That refusal is not what the right file is answered.
    test.inventory.answers(ImportReceive, taken);
    expect((await keyed('differs')).status).toBe(202);
  });

  it('may be sent again when its sender went away', async () => {
    await stream(
      async (body) => {
        body.write(Buffer.alloc(2 * IMPORT_PART_BYTES, 'x'));
        await eventually(() => sent().length > 0);
        body.destroy();
      },
      { 'idempotency-key': 'gone' },
    );
    const [{ importId }] = sent() as [Sent];
    await eventually(() => test.inventory.calls.some(({ pattern }) => pattern === ImportCancel.pattern));
    await delay(100);
    const { status, body } = await keyed('gone');
    expect(status).toBe(202);
    expect(body['importId']).not.toBe(importId);
  });
});

describe('an import', () => {
  it('is shown with its errors', async () => {
    test.inventory.answers(ImportGet, () => aFailedImport);
    expect((await test.send('GET', `/imports/${aFailedImport.importId}`, { token: admin })).body).toEqual(aFailedImport);
  });

  it('that does not exist is not found', async () => {
    test.inventory.answers(ImportGet, ({ importId }) => {
      throw notFound('IMPORT_NOT_FOUND', `There is no import ${importId}.`);
    });
    for (const id of ['nonsense', aFailedImport.importId]) {
      const answer = await test.send('GET', `/imports/${id}`, { token: admin });
      expect(answer).toMatchObject({ status: 404, body: { code: 'IMPORT_NOT_FOUND' } });
    }
  });

  it('is described', async () => {
    const { body } = await test.send('GET', '//api/openapi.json');
    const paths = body['paths'] as Record<
      string,
      Record<string, { requestBody: { content: object }; responses: object; parameters: { name: string }[] }>
    >;
    const { requestBody, responses, parameters } = paths['/api/v1/imports/stock']!['post']!;
    expect(Object.keys(requestBody.content)).toEqual(['text/csv']);
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['202', '413', '415', '422']));
    expect(parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(['dryRun', 'Idempotency-Key']));
  });
});
