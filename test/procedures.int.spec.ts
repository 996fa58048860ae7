import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stockViolations } from './support/check-stock.js';
import { eventually } from './support/eventually.js';
import { OneProcess } from './support/one-process.js';

// The operating procedures, step by step as they stand in docs/procedures, against the real gateway: every `sh` block is run, and the `json`
// block after it says the status and some of the body of what its last call is answered.

let holdfast: OneProcess;

beforeAll(async () => {
  holdfast = await OneProcess.start(['inventory', 'orders', 'gateway']);
}, 30_000);

afterAll(async () => {
  expect(await stockViolations(holdfast.database)).toEqual([]);
  await holdfast.stop();
});

interface Step {
  readonly script: string;
  /** What the last call is answered; a call without is answered with success. */
  readonly expected?: { readonly status: number; readonly body: object };
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

function stepsOf(page: string): Step[] {
  const text = readFileSync(join(import.meta.dirname, '../docs/procedures', page), 'utf8');
  const steps = [...text.matchAll(/^```sh\n([^]*?)^```\n(?:\n```json (\d+)\n([^]*?)^```$)?/gm)].map(([, script, status, body]): Step => {
    if (status === undefined) return { script: script! };
    return { script: script!, expected: { status: Number(status), body: JSON.parse(body!) as object } };
  });
  // Nothing that the page says must be overlooked.
  expect(steps.filter(({ expected }) => expected !== undefined)).toHaveLength(text.match(/^ *```json/gm)?.length ?? 0);
  return steps;
}

/** Runs what a step says in a shell that knows `send`, and answers what its calls were answered. */
async function run(script: string, org: string): Promise<Answer[]> {
  const env = { ...process.env, HOLDFAST_URL: holdfast.url, HOLDFAST_ORG: org };
  const { stdout } = await promisify(execFile)('bash', ['-euc', `${functions!.script}\n${script}`], { env });
  const lines = stdout.trim().split('\n');
  return lines.flatMap((line, index) => (index % 2 === 0 ? [{ body: JSON.parse(line) as object, status: Number(lines[index + 1]) }] : []));
}

const [functions, ...setUp] = stepsOf('README.md');

const pages = ['order-processing.md', 'picking.md', 'shipping.md', 'returns.md'];

it.each(pages)(
  '%s does what it says',
  async (page) => {
    const org = page.replace('.md', '');
    for (const { script, expected } of [...setUp, ...stepsOf(page)]) {
      let answers = await run(script, org);
      // What is told by events may be a moment late, so a step that only asks is asked again.
      if (expected !== undefined && /^send \w+ GET [^\n]*\n$/.test(script)) {
        await eventually(async () => matches(answers.at(-1), expected) || void (answers = await run(script, org)));
      }
      const last = expected === undefined ? undefined : answers.pop();
      expect({ script, refused: answers.filter(({ status }) => status >= 300) }).toEqual({ script, refused: [] });
      if (expected !== undefined) expect({ script, ...last }).toMatchObject({ script, ...expected });
    }
  },
  60_000,
);

function matches(answer: Answer | undefined, expected: Answer): boolean {
  try {
    expect(answer).toMatchObject(expected);
    return true;
  } catch {
    return false;
  }
}
