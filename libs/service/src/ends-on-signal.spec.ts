import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const MODULE = join(import.meta.dirname, 'ends-on-signal.ts');

/** A process that says `up`, and ends in the given way. Node runs the TypeScript as it is, because it has no imports. */
async function start(end: string) {
  const code = `import { endsOnSignal } from ${JSON.stringify(MODULE)};
    endsOnSignal(500, ${end}, console.log); setInterval(() => {}, 1000); console.log('up');`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let output = '';
  child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child.stdout!, 'data');
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number | null, output }));
  return { child, ended };
}

const SOON = `() => new Promise((resolve) => setTimeout(() => { console.log('drained'); resolve(); }, 50))`;
const NEVER = `() => new Promise(() => {})`;

describe('endsOnSignal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('finishes what was begun at %s', async (signal) => {
    const { child, ended } = await start(SOON);
    child.kill(signal);
    expect(await ended).toEqual({ code: 0, output: expect.stringMatching(new RegExp(`${signal}[^]*drained`)) });
  });

  it('ends when its parent is gone', async () => {
    const { child, ended } = await start(SOON);
    child.disconnect();
    expect(await ended).toMatchObject({ code: 0 });
  });

  it('ends when it was started by npm, which was told to end', async () => {
    const code = `import { endsOnSignal } from ${JSON.stringify(MODULE)};
      endsOnSignal(500, async () => console.log('drained'), () => {}); setInterval(() => {}, 1000); console.log('up');`;
    const program = [process.execPath, '--no-warnings', '--input-type=module', '-e', code].map(
      (word) => `'${word.replaceAll("'", `'\\''`)}'`,
    );
    // The shell is killed, as npm does; what it runs shares its output.
    const shell = spawn('sh', ['-c', `${program.join(' ')}; true`], {
      env: { ...process.env, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    shell.stdout.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
    await once(shell.stdout, 'data');
    shell.kill('SIGTERM');
    await once(shell.stdout, 'close');
    expect(lines.join('')).toBe('up\ndrained\n');
  });

  it('ends at once at the second signal', async () => {
    const { child, ended } = await start(NEVER);
    child.kill('SIGINT');
    await once(child.stdout!, 'data');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130 });
  });

  it('does not wait longer than it may', async () => {
    const { child, ended } = await start(NEVER);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 1, output: expect.stringContaining('Did not end within 500 ms') });
  });

  it('says what went wrong', async () => {
    const { child, ended } = await start(`() => Promise.reject(new Error('stuck'))`);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 1, output: expect.stringContaining('Could not end cleanly: Error: stuck') });
  });
});
