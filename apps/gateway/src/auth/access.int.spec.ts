import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { OrderGet, ReceiptPost } from '#libs/contracts';
import { startTestGateway, type TestGateway } from '#libs/testing';
import { gateway } from '../index.js';
import { anOrder } from '../orders/order.examples.js';
import { aReceipt } from '../stock/stock.examples.js';

const receipt = { warehouseId: 'w1', lines: [{ itemId: 'i', quantity: 1, unitCost: 1 }] };

describe('in development', () => {
  let test: TestGateway;
  let admin: string;
  const get = (token: string) => test.send('GET', '/orders/o', { token });
  beforeAll(async () => {
    test = await startTestGateway(gateway);
    test.orders.answers(OrderGet, () => anOrder);
    test.inventory.answers(ReceiptPost, () => aReceipt);
    admin = await test.token('acme', 'root', ['admin']);
  });
  afterAll(() => test.stop());

  it('gives a token to anyone, with the warehouses that are asked for', async () => {
    const { status, body } = await test.send('POST', '/auth/token', {
      body: { orgId: 'acme', userId: 'ann', roles: ['warehouse'], warehouses: ['w1'] },
    });
    expect([status, body]).toEqual([200, { accessToken: expect.any(String), expiresIn: 43_200 }]);
    const token = String(body['accessToken']);
    const post = (warehouseId: string) => test.send('POST', '/inventory/receipts', { token, body: { ...receipt, warehouseId } });
    expect((await post('w1')).status).toBe(201);
    expect(await post('w2')).toMatchObject({ status: 403, body: { code: 'WAREHOUSE_FORBIDDEN' } });
  });

  it.each([
    { orgId: 'a.b', userId: 'ann', roles: [] },
    { orgId: 'acme', userId: '', roles: [] },
    { orgId: 'acme', userId: 'ann', roles: ['king'] },
    { orgId: 'acme', userId: 'ann', roles: ['sales', 'sales'] },
    { orgId: 'acme', userId: 'ann', roles: ['sales'], warehouses: null },
    { orgId: 'acme', userId: 'ann' },
  ])('refuses a token for %j', async (body) => {
    expect(await test.send('POST', '/auth/token', { body })).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
  });

  it.each([
    ['nothing', {}],
    ['no token', { authorization: 'Bearer' }],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['garbage', { authorization: 'Bearer a.b.c' }],
    ['an unsigned token', { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIiwib3JnIjoiYWNtZSIsInJvbGVzIjpbImFkbWluIl19.' }],
    ['garbage for a key', { 'x-api-key': 'hf.acme.x.y' }],
    ['a key that does not exist', { 'x-api-key': `hf.acme.019cb5b1-0000-7000-8000-000000000005.${'x'.repeat(43)}` }],
  ])('refuses %s', async (_, headers) => {
    const answer = await test.send('GET', '/orders/o', { headers });
    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('overrides a token by the member entry within a second, in other processes too', async () => {
    const token = await test.token('acme', 'auth0|bob', ['sales']);
    const second = await startTestGateway(gateway, { databaseUrl: test.database.url });
    second.orders.answers(OrderGet, () => anOrder);
    const put = (body: object) => test.send('PUT', `/members/${encodeURIComponent('auth0|bob')}`, { token: admin, body });
    const statuses = async () => [(await get(token)).status, (await second.send('GET', '/orders/o', { token })).status];
    try {
      expect(await statuses()).toEqual([200, 200]);
      expect((await put({ roles: [] })).body).toMatchObject({
        userId: 'auth0|bob',
        roles: [],
        warehouses: null,
        disabled: false,
        updatedBy: 'root',
      });
      await delay(900);
      expect(await statuses()).toEqual([403, 403]);
      await put({ roles: ['admin'], disabled: true });
      await delay(900);
      expect(await statuses()).toEqual([401, 401]);
      await put({ roles: ['warehouse'], warehouses: ['w2'], disabled: false });
      await delay(900);
      expect(await statuses()).toEqual([200, 200]);
      expect((await test.send('POST', '/inventory/receipts', { token, body: receipt })).body['code']).toBe('WAREHOUSE_FORBIDDEN');
    } finally {
      await second.stop();
    }
    const { body } = await test.send('GET', '/members', { token: admin });
    expect(body).toMatchObject({
      items: [{ userId: 'auth0|bob', roles: ['warehouse'], warehouses: ['w2'], disabled: false }],
      nextCursor: null,
    });
  });

  it('lets nobody who works in some warehouses give more than that, or change who works in more', async () => {
    const root = await test.token('scopes', 'root', ['admin']);
    const scoped = await test.token('scopes', 'sue', ['admin'], ['w1', 'w2']);
    const forbidden = { status: 403, body: { code: 'WAREHOUSE_FORBIDDEN' } };
    const rights = (warehouses?: string[] | null) => ({ roles: ['admin'], ...(warehouses === undefined ? {} : { warehouses }) });
    for (const warehouses of [undefined, null, ['w1', 'w3']]) {
      expect(await test.send('PUT', '/members/ann', { token: scoped, body: rights(warehouses) })).toMatchObject(forbidden);
      if (warehouses === null) continue;
      expect(await test.send('POST', '/api-keys', { token: scoped, body: { name: 'n', ...rights(warehouses) } })).toMatchObject(forbidden);
    }
    expect((await test.send('PUT', '/members/ann', { token: scoped, body: rights(['w1']) })).status).toBe(200);
    expect((await test.send('POST', '/api-keys', { token: scoped, body: { name: 'n', ...rights(['w2']) } })).status).toBe(201);
    await test.send('PUT', '/members/olga', { token: root, body: rights() });
    const narrower = { token: scoped, body: { roles: [], warehouses: [] } };
    expect(await test.send('PUT', '/members/olga', narrower)).toMatchObject(forbidden);
    const { apiKeyId } = (await test.send('POST', '/api-keys', { token: root, body: { name: 'wide', ...rights() } })).body;
    expect(await test.send('DELETE', `/api-keys/${String(apiKeyId)}`, { token: scoped })).toMatchObject(forbidden);
  });

  it('does not let the last administrator of all warehouses go', async () => {
    const last = await test.token('last', 'last', ['admin']);
    const put = (userId: string, body: object, token = last) => test.send('PUT', `/members/${userId}`, { token, body });
    const refused = { status: 409, body: { code: 'INVALID_STATE' } };
    const lesser = [{ roles: ['sales'] }, { roles: ['admin'], disabled: true }, { roles: ['admin'], warehouses: ['w1'] }];
    for (const body of lesser) expect(await put('last', body)).toMatchObject(refused);
    expect((await put('scoped', { roles: ['admin'], warehouses: ['w1'] })).status).toBe(200);
    expect(await put('last', { roles: ['sales'] })).toMatchObject(refused);
    // Whoever is named may go as soon as somebody else is there, and then that one is the last.
    const next = await test.token('last', 'next', ['sales']);
    expect((await put('next', { roles: ['admin'] })).status).toBe(200);
    expect((await put('last', { roles: ['sales'] }, next)).status).toBe(200);
    expect(await put('next', { roles: [] }, next)).toMatchObject(refused);
    const made = await test.send('POST', '/api-keys', { token: next, body: { name: 'n', roles: ['admin'] } });
    expect((await put('next', { roles: [] }, next)).status).toBe(200);
    const { apiKeyId, key } = made.body as { apiKeyId: string; key: string };
    expect(await test.send('DELETE', `/api-keys/${apiKeyId}`, { headers: { 'x-api-key': key } })).toMatchObject(refused);
  });

  it('shows an API key once, stores its hash, and ends it within a second', async () => {
    const made = await test.send('POST', '/api-keys', { token: admin, body: { name: 'shop', roles: ['warehouse'], warehouses: ['w1'] } });
    const { key, apiKeyId } = made.body as { key: string; apiKeyId: string };
    const use = (warehouseId: string) =>
      test.send('POST', '/inventory/receipts', { headers: { 'x-api-key': key }, body: { ...receipt, warehouseId } });
    expect([made.status, (await use('w1')).status, (await use('w2')).status]).toEqual([201, 201, 403]);
    expect(test.inventory.calls.at(-1)!.actor).toEqual({
      userId: `key:${apiKeyId}`,
      orgId: 'acme',
      roles: ['warehouse'],
      warehouses: ['w1'],
    });

    const { body } = await test.send('GET', '/api-keys', { token: admin });
    expect(body['items']).toEqual([
      { apiKeyId, name: 'shop', roles: ['warehouse'], warehouses: ['w1'], createdAt: expect.any(String), createdBy: 'root' },
    ]);
    const [row] = await test.database.rows<{ secret_hash: Buffer }>('select * from gateway.api_key');
    expect(row!.secret_hash).toHaveLength(32);
    expect(JSON.stringify(row)).not.toContain(key.split('.')[3]);

    const wrong = await test.send('GET', '/orders/o', { headers: { 'x-api-key': `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}` } });
    expect(wrong.status).toBe(401);
    expect((await test.send('DELETE', `/api-keys/${apiKeyId}`, { token: admin })).status).toBe(204);
    await delay(900);
    expect((await use('w1')).status).toBe(401);
    expect((await test.send('DELETE', `/api-keys/${apiKeyId}`, { token: admin })).status).toBe(404);
    expect((await test.send('DELETE', '/api-keys/not-a-uuid', { token: admin })).status).toBe(404);
  });

  it('goes through members and keys in pages', async () => {
    for (const name of ['m1', 'm2', 'm3']) {
      await test.send('PUT', `/members/${name}`, { token: await test.token('pages', 'root', ['admin']), body: { roles: [] } });
      await test.send('POST', '/api-keys', { token: await test.token('pages', 'root', ['admin']), body: { name, roles: [] } });
    }
    const token = await test.token('pages', 'root', ['auditor']);
    for (const [path, field, names] of [
      ['/members', 'userId', ['m1', 'm2', 'm3']],
      ['/api-keys', 'name', ['m3', 'm2', 'm1']],
    ] as const) {
      const seen: unknown[] = [];
      let query = '?limit=2';
      for (;;) {
        const { body } = await test.send('GET', path + query, { token });
        seen.push(...(body['items'] as Record<string, unknown>[]).map((item) => item[field]));
        if (body['nextCursor'] === null) break;
        query = `?limit=2&cursor=${body['nextCursor'] as string}`;
      }
      expect(seen).toEqual(names);
      expect((await test.send('GET', `${path}?cursor=made-up`, { token })).status).toBe(400);
    }
  });
});

describe('with an identity provider', () => {
  const issuer = 'https://id.example.com';
  const audience = 'holdfast';
  let test: TestGateway;
  let provider: Server;
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;
  let answerOfProvider: { status: number; body: string };

  const claims = { sub: 'ann', org: 'acme', roles: ['sales', 'some-role-of-another-system'] };
  const sign = (
    payload: JWTPayload,
    change: (jwt: SignJWT) => SignJWT = (jwt) => jwt,
    key: Parameters<SignJWT['sign']>[0] = keys.privateKey,
    alg = 'ES256',
    kid = 'k1',
  ) =>
    change(
      new SignJWT(payload).setProtectedHeader({ alg, kid }).setIssuer(issuer).setAudience(audience).setIssuedAt().setExpirationTime('5m'),
    ).sign(key);
  const get = async (token: string) => test.send('GET', '/orders/o', { token });

  beforeAll(async () => {
    keys = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' };
    answerOfProvider = { status: 503, body: '' };
    provider = createServer((_, response) => response.writeHead(answerOfProvider.status).end(answerOfProvider.body)).listen(0, '127.0.0.1');
    await once(provider, 'listening');
    const { port } = provider.address() as AddressInfo;
    const auth = { mode: 'jwks' as const, jwksUrl: `http://127.0.0.1:${port}/jwks`, issuer, audience, algorithm: 'ES256' };
    test = await startTestGateway(gateway, { auth });
    test.orders.answers(OrderGet, () => anOrder);
    expect(await get(await sign(claims))).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
    answerOfProvider = { status: 200, body: JSON.stringify({ keys: [jwk] }) };
  });
  afterAll(async () => {
    await test.stop();
    provider.close();
  });

  it('takes its tokens, and of its roles those that are known', async () => {
    expect((await get(await sign(claims))).status).toBe(200);
    expect(test.orders.calls.at(-1)!.actor).toEqual({ userId: 'ann', orgId: 'acme', roles: ['sales'], warehouses: null });
    await get(await sign({ ...claims, warehouses: [] }));
    expect(test.orders.calls.at(-1)!.actor.warehouses).toEqual([]);
  });

  it('gives no tokens itself, and takes none of its own', async () => {
    const answer = await test.send('POST', '/auth/token', { body: { orgId: 'acme', userId: 'ann', roles: ['admin'] } });
    expect(answer).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    const { issueDevelopmentToken } = await import('./access-tokens.js');
    const { accessToken } = await issueDevelopmentToken({ orgId: 'acme', userId: 'ann', roles: ['admin'] });
    expect((await get(accessToken)).status).toBe(401);
  });

  it('refuses tokens of others, for others, expired, or signed in another way', async () => {
    const stranger = await generateKeyPair('ES256');
    const publicPem = new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)));
    const refused = {
      'another issuer': sign(claims, (jwt) => jwt.setIssuer('https://evil.example.com')),
      'another audience': sign(claims, (jwt) => jwt.setAudience('another')),
      expired: sign(claims, (jwt) => jwt.setExpirationTime(Math.floor(Date.now() / 1000) - 60)),
      'not valid yet': sign(claims, (jwt) => jwt.setNotBefore('1h')),
      'another key': sign(claims, undefined, stranger.privateKey),
      'the public key as a secret': sign(claims, undefined, publicPem, 'HS256'),
      'an unknown key id': sign(claims, undefined, keys.privateKey, 'ES256', 'k2'),
    };
    for (const [name, token] of Object.entries(refused)) expect([name, (await get(await token)).status]).toEqual([name, 401]);
  });

  it.each([
    { org: 'acme', roles: ['sales'] },
    { sub: '', org: 'acme', roles: ['sales'] },
    { sub: 'a\nb', org: 'acme', roles: ['sales'] },
    { sub: 'ann', roles: ['sales'] },
    { sub: 'ann', org: 'a.b', roles: ['sales'] },
    { sub: 'ann', org: 'acme' },
    { sub: 'ann', org: 'acme', roles: 'admin' },
    { sub: 'ann', org: 'acme', roles: ['sales'], warehouses: null },
    { sub: 'ann', org: 'acme', roles: ['sales'], warehouses: 'w1' },
    { sub: 'ann', org: 'acme', roles: ['sales'], warehouses: [1] },
  ])('refuses the claims %j', async (payload) => {
    expect((await get(await sign(payload))).status).toBe(401);
  });
});
