import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// docs/control.md names the test of each rule; it must exist.

const root = join(import.meta.dirname, '..');
const named = [...readFileSync(join(root, 'docs/control.md'), 'utf8').matchAll(/\| `([^`]+\.ts)`: (.+?) *\|$/gm)].map(
  ([, file, words]) => [file!, words!] as const,
);

it('names a test in every row', () => {
  const rows = readFileSync(join(root, 'docs/control.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| rule') && !line.startsWith('| ---'));
  expect(named.length).toBe(rows.length);
});

it.each(named)('%s has a test: %s', (file, words) => {
  const titles = readFileSync(join(root, file), 'utf8')
    .split('\n')
    .filter((line) => /['"`]/.test(line));
  expect(titles.filter((line) => line.includes(words))).not.toEqual([]);
});
