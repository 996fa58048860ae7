import { Injectable } from '@nestjs/common';
import type { Actor, Role } from '#libs/auth';
import { Cursor, type Page, PAGE_LIMIT_DEFAULT } from '#libs/contracts';
import { Database, statement } from '#libs/persistence';
import { authoriseScope, isAdministrator, lockAdministrators, requireAdministrator } from './administrators.js';
import { unauthenticated } from './unauthenticated.js';
import { Recent } from './recent.js';

/** What an administrator has decided about a user, whatever the user's token says. */
export interface Member {
  readonly userId: string;
  readonly roles: readonly Role[];
  /** Null: all. */
  readonly warehouses: readonly string[] | null;
  readonly disabled: boolean;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

interface MemberRow {
  readonly user_id: string;
  readonly roles: Role[];
  readonly warehouses: string[] | null;
  readonly disabled: boolean;
  readonly updated_at: Date;
  readonly updated_by: string;
}

const COLUMNS = 'user_id, roles, warehouses, disabled, updated_at, updated_by';
const findMember = statement<MemberRow>('gateway_find_member', `select ${COLUMNS} from member where org_id = $1 and user_id = $2`);
const cursor = new Cursor('text');

/** The members of organisations: those users about whom something was decided. */
@Injectable()
export class Members {
  readonly #recent = new Recent((key) => this.#find(key));

  constructor(private readonly database: Database) {}

  /**
   * The actor as the member entry has it; without an entry, as the token says. Acts within a second.
   *
   * @throws {HoldfastError} `UNAUTHENTICATED` when the member is disabled.
   */
  async applyTo(actor: Actor): Promise<Actor> {
    const member = await this.#recent.get(keyOf(actor.orgId, actor.userId));
    if (!member) return actor;
    if (member.disabled) throw unauthenticated('Your access has been withdrawn.');
    return { ...actor, roles: member.roles, warehouses: member.warehouses };
  }

  /**
   * @throws {HoldfastError} 403 `WAREHOUSE_FORBIDDEN` beyond the warehouses of who says it, 409 `INVALID_STATE` when no administrator would be
   * left.
   */
  async put(by: Actor, userId: string, said: Pick<Member, 'roles' | 'warehouses' | 'disabled'>): Promise<Member> {
    authoriseScope(by, said);
    const row = await this.database.transaction([by.orgId], async (tx) => {
      await lockAdministrators(tx, by.orgId);
      const [known] = await tx.run(findMember, [by.orgId, userId]);
      if (known !== undefined) authoriseScope(by, known);
      const was = known ?? (userId === by.userId ? by : undefined);
      const [row] = await tx.rows<MemberRow>(
        `insert into member (org_id, user_id, roles, warehouses, disabled, updated_by) values ($1, $2, $3, $4, $5, $6)
         on conflict (org_id, user_id) do update
           set roles = excluded.roles, warehouses = excluded.warehouses, disabled = excluded.disabled,
               updated_by = excluded.updated_by, updated_at = now()
         returning ${COLUMNS}`,
        [by.orgId, userId, said.roles, said.warehouses, said.disabled, by.userId],
      );
      if (was !== undefined && isAdministrator(was) && !isAdministrator(said)) await requireAdministrator(tx, by, userId);
      return row!;
    });
    this.#recent.forget(keyOf(by.orgId, userId));
    return toMember(row);
  }

  async list(orgId: string, page: { cursor?: string; limit?: number }): Promise<Page<Member>> {
    const [after = null] = cursor.read(page.cursor);
    const limit = page.limit ?? PAGE_LIMIT_DEFAULT;
    const rows = await this.database.transaction(
      [orgId],
      (tx) =>
        tx.rows<MemberRow>(
          `select ${COLUMNS} from member where org_id = $1 and ($2::text is null or user_id > $2) order by user_id limit $3`,
          [orgId, after, limit + 1],
        ),
      { readOnly: true },
    );
    return cursor.page(rows, limit, (row) => [row.user_id], toMember);
  }

  async #find(key: string): Promise<Member | undefined> {
    const [orgId, userId] = JSON.parse(key) as [string, string];
    const [row] = await this.database.transaction([orgId], (tx) => tx.run(findMember, [orgId, userId]), { inOneGo: true });
    return row && toMember(row);
  }
}

const keyOf = (orgId: string, userId: string) => JSON.stringify([orgId, userId]);

function toMember(row: MemberRow): Member {
  const { user_id: userId, roles, warehouses, disabled, updated_at: updatedAt, updated_by: updatedBy } = row;
  return { userId, roles, warehouses, disabled, updatedAt: updatedAt.toISOString(), updatedBy };
}
