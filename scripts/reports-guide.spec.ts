import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DISCREPANCY_GROUPS,
  GROUP_FIELDS,
  OVERRIDE_GROUPS,
  OVERSELL_GROUPS,
  PAGE_LIMIT_DEFAULT,
  REPORT_ROWS_MAX,
  VALUE_GROUPS,
  WOULD_BLOCK_GROUPS,
} from '#libs/contracts';
import { PAGE_LIMIT_MAX } from '../apps/gateway/src/http/paging.js';
import {
  aDiscrepancyReport,
  anApprovedInDoubtReport,
  anInventoryValueReport,
  anOverridesReport,
  anOversellReport,
  aWouldBlockReport,
} from '../apps/gateway/src/reports/report.examples.js';

// docs/reports.md says by what each report counts, and shows a row of it; both must be what the API description shows.

const text = readFileSync(join(import.meta.dirname, '../docs/reports.md'), 'utf8');

const REPORTS = {
  'oversell-attempts': [OVERSELL_GROUPS, anOversellReport],
  'would-have-been-blocked': [WOULD_BLOCK_GROUPS, aWouldBlockReport],
  overrides: [OVERRIDE_GROUPS, anOverridesReport],
  'approved-with-open-discrepancies': [['order'], anApprovedInDoubtReport],
  discrepancies: [DISCREPANCY_GROUPS, aDiscrepancyReport],
  'inventory-value': [VALUE_GROUPS, anInventoryValueReport],
} as const;

interface Section {
  readonly groups: readonly string[];
  readonly row: Readonly<Record<string, unknown>>;
}

const sections = new Map(
  [...text.matchAll(/^### .*`\/reports\/([a-z-]+)`\n\nBy ([^]*?)[.:] [^]*?```json\n([^]*?)```/gm)].map(
    ([, name, groups, row]): [string, Section] => [
      name!,
      { groups: [...groups!.matchAll(/`(\w+)`/g)].map(([, group]) => group!), row: JSON.parse(row!) as Section['row'] },
    ],
  ),
);

it('tells of every report', () => expect([...sections.keys()].sort()).toEqual(Object.keys(REPORTS).sort()));

describe.each(Object.entries(REPORTS))('the guide to %s', (name, [groups, example]) => {
  const { groups: told, row } = sections.get(name) ?? { groups: [], row: {} };

  it('says by what it counts, what counts unless said first', () => {
    expect(told).toEqual(groups);
    expect(example.groupBy).toBe(told[0]);
  });

  it('shows what a row has', () => {
    const keys: readonly string[] = name === 'approved-with-open-discrepancies' ? [] : Object.values(GROUP_FIELDS).flat();
    const counted = (shown: object) => Object.keys(shown).filter((field) => !keys.includes(field));
    expect(counted(row).sort()).toEqual(counted(example.rows[0]!).sort());
  });
});

it('says how many rows come', () => {
  const thousands = REPORT_ROWS_MAX.toLocaleString('en');
  expect(text).toContain(`rows at most: ${PAGE_LIMIT_DEFAULT} unless said, up to ${PAGE_LIMIT_MAX} as JSON and ${thousands} as CSV`);
});
