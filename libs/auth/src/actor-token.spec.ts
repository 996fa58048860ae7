import { jest } from '@jest/globals';
import { SignJWT } from 'jose';
import { signActorToken, verifyActorToken, type Actor } from './index.js';

const actor: Actor = { userId: 'ann', orgId: 'acme', roles: ['sales'], warehouses: ['w1'] };

describe('actor token', () => {
  it('tells the service who acts', async () => {
    await expect(verifyActorToken(await signActorToken(actor))).resolves.toEqual(actor);
    await expect(verifyActorToken(await signActorToken({ ...actor, warehouses: null }))).resolves.toEqual({ ...actor, warehouses: null });
  });

  it('is refused when it was changed', async () => {
    const [header, , signature] = (await signActorToken(actor)).split('.');
    const payload = Buffer.from(JSON.stringify({ sub: 'ann', org: 'acme', roles: ['admin'] })).toString('base64url');
    await expect(verifyActorToken(`${header}.${payload}.${signature}`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('is refused when it is older than a minute, without a signature, or of another issuer', async () => {
    const late = Date.now() + 61_000;
    const token = await signActorToken(actor);
    jest.useFakeTimers({ now: late, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    await expect(verifyActorToken(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    jest.useRealTimers();

    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`;
    await expect(verifyActorToken(unsigned)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });

    const stranger = await new SignJWT({ org: 'acme', roles: ['admin'], warehouses: null })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('eve')
      .setIssuer('eve')
      .setAudience('holdfast-services')
      .setExpirationTime('60s')
      .sign(new TextEncoder().encode('another secret that is long enough too'));
    await expect(verifyActorToken(stranger)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('needs a secret of its own in production', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      await expect(async () => signActorToken(actor)).rejects.toThrow('HOLDFAST_ACTOR_SECRET is missing');
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });
});
