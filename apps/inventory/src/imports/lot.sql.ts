import { arrayLiteral, statement, type Tx } from '#libs/persistence';

/** A lot by its name. */
export interface LotName {
  readonly itemId: string;
  readonly lot: string;
}

/** What a lot is known by; null = not said. */
export interface LotDates {
  readonly producedAt: Date | null;
  readonly expiresAt: Date | null;
}

interface LotRow {
  readonly item_id: string;
  readonly lot: string;
  readonly produced_at: Date | null;
  readonly expires_at: Date | null;
}

const find = statement<LotRow>(
  'import_find_lots',
  `select l.item_id, l.lot, l.produced_at, l.expires_at from unnest($2::text[], $3::text[]) k (item_id, lot)
    cross join lateral (select * from lot where org_id = $1 and item_id = k.item_id and lot = k.lot offset 0) l`,
);
/**
 * A lot of which nothing is in stock is a name with dates, on which no decision of the stock machine rests: it is stored here, and the machine,
 * which makes lots as they come in, finds it.
 */
const insert = statement<{ item_id: string; lot: string }>(
  'import_insert_lots',
  `insert into lot (org_id, item_id, lot, produced_at, expires_at, created_at)
   select $1, l.*, now() from unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[]) as l (item_id, lot, produced_at, expires_at)
    order by 2, 3
       on conflict do nothing
   returning item_id, lot`,
);

export const lotKey = ({ itemId, lot }: LotName) => `${itemId}/${lot}`;

/** Those of the lots that exist, by {@link lotKey}. */
export async function findLots(tx: Tx, orgId: string, names: readonly LotName[]): Promise<ReadonlyMap<string, LotDates>> {
  if (names.length === 0) return new Map();
  const rows = await tx.run(find, [orgId, arrayLiteral(names, (name) => name.itemId), arrayLiteral(names, (name) => name.lot)]);
  return new Map(
    rows.map((row) => [lotKey({ itemId: row.item_id, lot: row.lot }), { producedAt: row.produced_at, expiresAt: row.expires_at }]),
  );
}

/** Stores lots, unless there is one of the same name. Answers the keys of those that were stored. */
export async function insertLots(
  tx: Tx,
  orgId: string,
  lots: readonly (LotName & { readonly producedAt?: string; readonly expiresAt?: string })[],
): Promise<ReadonlySet<string>> {
  if (lots.length === 0) return new Set();
  const rows = await tx.run(insert, [
    orgId,
    arrayLiteral(lots, (lot) => lot.itemId),
    arrayLiteral(lots, (lot) => lot.lot),
    arrayLiteral(lots, (lot) => lot.producedAt ?? null),
    arrayLiteral(lots, (lot) => lot.expiresAt ?? null),
  ]);
  return new Set(rows.map((row) => lotKey({ itemId: row.item_id, lot: row.lot })));
}
