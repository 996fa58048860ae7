import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Actor, Role } from '#libs/auth';
import { Cursor, type Page, PAGE_LIMIT_DEFAULT } from '#libs/contracts';
import { notFound, ORG_ID_PATTERN } from '#libs/domain';
import { Database, statement } from '#libs/persistence';
import { authoriseScope, isAdministrator, lockAdministrators, requireAdministrator } from './administrators.js';
import { unauthenticated } from './unauthenticated.js';
import { Recent } from './recent.js';

/** A key with which a system signs in; the key itself is shown once, when it is made. */
export interface ApiKey {
  readonly apiKeyId: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /** Null: all. */
  readonly warehouses: readonly string[] | null;
  readonly createdAt: string;
  readonly createdBy: string;
}

interface ApiKeyRow {
  readonly api_key_id: string;
  readonly name: string;
  readonly roles: Role[];
  readonly warehouses: string[] | null;
  readonly created_at: Date;
  readonly created_by: string;
}

const COLUMNS = 'api_key_id, name, roles, warehouses, created_at, created_by';
const findKey = statement<ApiKeyRow & { secret_hash: Buffer }>(
  'gateway_find_api_key',
  `select ${COLUMNS}, secret_hash from api_key where org_id = $1 and api_key_id = $2`,
);
const cursor = new Cursor('uuid');

/** `hf.<organisation>.<id>.<secret>`: the organisation is in it because no row is visible without naming one; its id has no dot. */
const KEY = new RegExp(`^hf\\.(${ORG_ID_PATTERN.slice(1, -1)})\\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\.([A-Za-z0-9_-]{43})$`);

/** The API keys of organisations. Only a hash is stored: the secret is random and long, so a fast one is enough. */
@Injectable()
export class ApiKeys {
  readonly #recent = new Recent((key) => this.#find(key));

  constructor(private readonly database: Database) {}

  /** @throws {HoldfastError} `UNAUTHENTICATED`; a deleted key within a second. */
  async verify(key: string): Promise<Actor> {
    const [, orgId, apiKeyId, secret] = KEY.exec(key) ?? [];
    const row = orgId && apiKeyId ? await this.#recent.get(`${orgId}.${apiKeyId}`) : undefined;
    if (!row || !timingSafeEqual(row.secret_hash, hash(secret!))) throw unauthenticated('The API key is not valid.');
    return { userId: `key:${row.api_key_id}`, orgId: orgId!, roles: row.roles, warehouses: row.warehouses };
  }

  /** Makes a key with the given id; asked for again with the same id, it answers a new secret and the old one ends. */
  async create(
    by: Actor,
    apiKeyId: string,
    said: { name: string; roles: readonly Role[]; warehouses?: readonly string[] },
  ): Promise<ApiKey & { key: string }> {
    authoriseScope(by, { warehouses: said.warehouses ?? null });
    const secret = randomBytes(32).toString('base64url');
    const [row] = await this.database.transaction([by.orgId], (tx) =>
      tx.rows<ApiKeyRow>(
        `insert into api_key (org_id, api_key_id, name, roles, warehouses, secret_hash, created_by) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (org_id, api_key_id) do update set secret_hash = excluded.secret_hash
         returning ${COLUMNS}`,
        [by.orgId, apiKeyId, said.name, said.roles, said.warehouses ?? null, hash(secret), by.userId],
      ),
    );
    return { ...toApiKey(row!), key: `hf.${by.orgId}.${apiKeyId}.${secret}` };
  }

  /** Newest first. */
  async list(orgId: string, page: { cursor?: string; limit?: number }): Promise<Page<ApiKey>> {
    const [before = null] = cursor.read(page.cursor);
    const limit = page.limit ?? PAGE_LIMIT_DEFAULT;
    const rows = await this.database.transaction(
      [orgId],
      (tx) =>
        tx.rows<ApiKeyRow>(
          `select ${COLUMNS} from api_key where org_id = $1 and ($2::uuid is null or api_key_id < $2) order by api_key_id desc limit $3`,
          [orgId, before, limit + 1],
        ),
      { readOnly: true },
    );
    return cursor.page(rows, limit, (row) => [row.api_key_id], toApiKey);
  }

  /** @throws {HoldfastError} as {@link Members.put} */
  async delete(by: Actor, apiKeyId: string): Promise<void> {
    const { orgId } = by;
    await this.database.transaction([orgId], async (tx) => {
      await lockAdministrators(tx, orgId);
      // Compared as text, because an id that is no UUID is one that does not exist.
      const [key] = await tx.rows<ApiKeyRow>(`select ${COLUMNS} from api_key where org_id = $1 and api_key_id::text = $2`, [
        orgId,
        apiKeyId,
      ]);
      if (key === undefined) throw notFound('NOT_FOUND', `There is no API key ${apiKeyId}.`);
      authoriseScope(by, key);
      await tx.execute('delete from api_key where org_id = $1 and api_key_id = $2', [orgId, key.api_key_id]);
      if (isAdministrator(key)) await requireAdministrator(tx, by, `key:${key.api_key_id}`);
    });
    this.#recent.forget(`${orgId}.${apiKeyId}`);
  }

  async #find(key: string) {
    const [orgId, apiKeyId] = key.split('.');
    const [row] = await this.database.transaction([orgId!], (tx) => tx.run(findKey, [orgId, apiKeyId]), { inOneGo: true });
    return row;
  }
}

const hash = (secret: string) => createHash('sha256').update(secret).digest();

function toApiKey(row: ApiKeyRow): ApiKey {
  const { api_key_id: apiKeyId, name, roles, warehouses, created_at: createdAt, created_by: createdBy } = row;
  return { apiKeyId, name, roles, warehouses, createdAt: createdAt.toISOString(), createdBy };
}
