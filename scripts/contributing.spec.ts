import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const FILES_MAX = 4;
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Way {
  readonly title: string;
  readonly files: readonly string[];
  readonly passOn: readonly string[];
}

/** The chapters with a numbered list of files, and the files named after "Pass on:". */
const ways = read('CONTRIBUTING.md')
  .split(/^### /m)
  .slice(1)
  .map((chapter): Way => ({
    title: chapter.split('\n', 1)[0]!,
    files: [...chapter.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file]) => file!),
    passOn: [...(/^Pass on:.*$/m.exec(chapter)?.[0].matchAll(/`([\w.-]+)`/g) ?? [])].map(([, file]) => file!),
  }));
const way = (title: string) => ways.find((candidate) => candidate.title === title)!;

/** What a file imports of ours by a relative path, except types. */
function importsOf(file: string): string[] {
  const imports = [...read(file).matchAll(/^import (?!type )[^;]*? from '(\.[^']+)\.js';/gm)];
  return imports.map(([, path]) => join(file, '..', `${path}.ts`));
}

/** Whether `to` is reached from one of `from` by imports, through nothing but files that only pass on. */
function reaches(from: readonly string[], to: string, passOn: readonly string[]): boolean {
  const seen = new Set<string>();
  const open = [...from];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const next of importsOf(file)) {
      if (next === to) return true;
      if (seen.has(next) || !passOn.includes(basename(next))) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}

describe('CONTRIBUTING', () => {
  it('lists the ways that people ask for', () => {
    expect(ways.map(({ title }) => title)).toEqual(expect.arrayContaining(['Reserve stock', 'Ship', 'Add an event']));
  });

  it.each(ways)('$title: at most four files, which exist', ({ files }) => {
    expect(files.length).toBeGreaterThan(1);
    expect(files.length).toBeLessThanOrEqual(FILES_MAX);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  it.each(ways.filter(({ title }) => title !== 'Add an event'))(
    '$title: each file is reached from those before it',
    ({ files, passOn }) => {
      files.slice(1).forEach((file, index) => {
        expect({ file, reached: reaches(files.slice(0, index + 1), file, passOn) }).toEqual({ file, reached: true });
      });
    },
  );

  it.each([
    ['Reserve stock', /@OnEvent\(OrderConfirmed\)[^]*@OnCall\(StockDemand\)/, /StockReserved/, /insert into reservation\b/],
    ['Ship', /@OnEvent\(ShipmentConfirmed\)[^]*@OnCall\(StockShip\)/, /StockDepleted/, /insert into ledger_entry\b/],
  ])('%s: from the message that asks to the event that answers and the rows that are written', (title, entry, event, sql) => {
    const [consumer, , rules, statements] = way(title).files;
    expect(read(consumer!)).toMatch(entry);
    expect(read(rules!)).toMatch(event);
    // Pure: what it imports beside other rules are types.
    expect(read(rules!)).not.toMatch(/^import (?!type )[^;]* from '(#libs\/(?!domain|contracts)|node:|pg)/m);
    expect(read(statements!)).toMatch(sql);
  });

  it('Add an event: names the files in which an event is named, and all of them', () => {
    const sources = ['apps', 'libs'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !/\.spec\.ts$|\/simulation\//.test(file))
        .map((file) => join(folder, file)),
    );
    const naming = sources.filter((file) => /\bStockReserved\b/.test(read(file)));
    expect(naming.sort()).toEqual([...way('Add an event').files].sort());
  });
});
