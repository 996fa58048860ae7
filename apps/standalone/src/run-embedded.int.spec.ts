import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, freePort, type HoldfastProcess, run, WALK_THROUGH_STATUSES, walkThroughReadme } from './test-process.js';

describe('npm start', () => {
  let data: string;
  let port: number;
  let holdfast: HoldfastProcess;

  beforeAll(async () => {
    build();
    data = mkdtempSync(join(tmpdir(), 'holdfast-embedded-'));
    port = await freePort();
    holdfast = start();
    await holdfast.printed('Stop:    Ctrl-C');
  }, 90_000);

  afterAll(async () => {
    holdfast.child.kill('SIGKILL');
    await holdfast.ended;
    // The database notices that its owner is gone.
    while (existsSync(join(data, 'postgres/postmaster.pid'))) await new Promise((done) => setTimeout(done, 50));
    rmSync(data, { recursive: true, force: true });
  }, 60_000);

  const start = (env: Record<string, string> = {}) =>
    run('main.js', { HOLDFAST_DATA: data, PORT: String(port), DATABASE_URL: '', AMQP_URL: '', ...env });
  const url = (path: string) => `http://127.0.0.1:${port}${path}`;
  const token = () => /^ {2}admin +(\S+)$/m.exec(holdfast.output())![1]!;
  const get = async (path: string) =>
    (await fetch(url(path), { headers: { authorization: `Bearer ${token()}` } })).json() as Promise<Record<string, unknown>>;

  it('prints what one needs: URL, documentation, a token for each role', async () => {
    const output = holdfast.output();
    expect(output).toContain(url('/api/v1'));
    expect((await fetch(url('/api/docs'))).status).toBe(200);
    for (const role of ['sales', 'warehouse', 'cashier', 'inventory_manager', 'finance_manager', 'auditor', 'admin', 'service']) {
      expect(output).toMatch(new RegExp(`^ {2}${role} +ey`, 'm'));
    }
    expect(await get('/api/v1/items')).toMatchObject({ items: [] });
    expect((await fetch(url('/health/ready'))).status).toBe(200);
  });

  it('does what the README shows', () => {
    const { statuses, output } = walkThroughReadme(port);
    expect({ statuses, output }).toMatchObject({ statuses: WALK_THROUGH_STATUSES });
    expect(output).toContain('"available":"7"');
  }, 60_000);

  it('says in one line that the port is taken, and that another one uses the data', async () => {
    const samePort = start({ HOLDFAST_DATA: `${data}-other` });
    expect(await samePort.ended).toBe(1);
    expect(samePort.output()).toMatch(new RegExp(`^Holdfast cannot start: Port ${port} is taken.*\n$`));
    expect(existsSync(`${data}-other`)).toBe(false);

    const sameData = start({ PORT: String(await freePort()) });
    expect(await sameData.ended).toBe(1);
    expect(sameData.output()).toMatch(/^Holdfast cannot start: Another Holdfast is using the data.*\n$/);
  });

  it('says all that is wrong with the settings', async () => {
    const wrong = start({ LOG_LEVEL: 'loud', HOLDFAST_RATE_LIMIT: 'x' });
    expect(await wrong.ended).toBe(1);
    expect(wrong.output()).toMatch(
      /^Holdfast cannot start: The configuration is not valid:\n {2}- LOG_LEVEL.*\n {2}- HOLDFAST_RATE_LIMIT.*\n$/,
    );
  });

  it('has its data after kill -9, and ends in order at Ctrl-C', async () => {
    const before = await fetch(url('/api/v1/warehouses'), {
      method: 'POST',
      headers: { authorization: `Bearer ${token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ warehouseId: 'kept', name: 'Kept' }),
    });
    expect(before.status).toBe(201);
    holdfast.child.kill('SIGKILL');
    await holdfast.ended;

    holdfast = start();
    await holdfast.printed('Stop:    Ctrl-C');
    expect(await get('/api/v1/warehouses/kept')).toMatchObject({ name: 'Kept' });

    holdfast.child.kill('SIGINT');
    expect(await holdfast.ended).toBe(0);
    expect(existsSync(join(data, 'postgres/postmaster.pid'))).toBe(false);
  }, 90_000);
});
