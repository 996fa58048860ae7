import { Injectable } from '@nestjs/common';
import { Database } from '#libs/persistence';
import { hasListeningChannel } from './channel.sql.js';

const REMEMBERED_MS = 500;
const REMEMBERED_MAX = 10_000;

/**
 * Which organisations have anybody who listens. Refused orders may come by the thousand per second, and most organisations have told
 * nobody to hear of them: the answer is remembered for half a second, so that such an event costs no transaction. A channel that
 * another process made therefore hears of events from half a second later on.
 */
@Injectable()
export class Audience {
  readonly #known = new Map<string, { readonly listens: Promise<boolean>; readonly untilMs: number }>();

  constructor(private readonly database: Database) {}

  listens(orgId: string): Promise<boolean> {
    const nowMs = performance.now();
    const known = this.#known.get(orgId);
    if (known !== undefined && known.untilMs > nowMs) return known.listens;
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    const listens = this.database.transaction([orgId], (tx) => hasListeningChannel(tx, orgId), { inOneGo: true });
    this.#known.set(orgId, { listens, untilMs: nowMs + REMEMBERED_MS });
    listens.catch(() => this.forget(orgId));
    return listens;
  }

  /** For what this process has changed itself. */
  forget(orgId: string): void {
    this.#known.delete(orgId);
  }
}
