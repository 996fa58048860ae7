import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, supervise } from './supervise.js';

const READY = `process.send({ ready: 'http://127.0.0.1:1' }); process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000);`;

describe('supervise', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-supervise-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  function app(name: string, code: string): App {
    const entry = join(directory, `${name}.mjs`);
    writeFileSync(entry, code);
    return { name, entry, env: { MARK: name } };
  }

  it('prints what the apps say, says when all are ready, and ends them when asked', async () => {
    const lines: string[] = [];
    const apps = supervise([app('a', `console.log('hello from ' + process.env.MARK); ${READY}`), app('b', READY)], (name, line) =>
      lines.push(`${name}: ${line}`),
    );
    expect([...(await apps.ready).keys()].sort()).toEqual(['a', 'b']);
    expect(lines).toEqual(['a: hello from a']);
    await apps.stop(5_000);
    expect(await apps.ended).toBeNull();
  });

  it('ends all when one cannot start', async () => {
    const apps = supervise([app('fine', READY), app('wrong', `console.error('PORT is wrong'); process.exit(1);`)], () => {});
    await expect(apps.ready).rejects.toThrow('wrong could not start (exit code 1)');
    expect(await apps.ended).toContain('wrong could not start');
  });

  it('starts one again that was killed', async () => {
    const pids: number[] = [];
    const again = Promise.withResolvers<void>();
    const apps = supervise([app('killed', `console.log(process.pid); ${READY}`)], (_name, line) => {
      if (/^\d+$/.test(line)) pids.push(Number(line));
      if (pids.length === 2) again.resolve();
    });
    await apps.ready;
    process.kill(pids[0]!, 'SIGKILL');
    await again.promise;
    expect(pids[1]).not.toBe(pids[0]);
    await apps.stop(5_000);
  });

  it('kills one that does not end in time', async () => {
    const apps = supervise([app('stuck', `${READY} process.removeAllListeners('SIGTERM'); process.on('SIGTERM', () => {});`)], () => {});
    await apps.ready;
    await apps.stop(200);
    expect(await apps.ended).toBeNull();
  });
});
