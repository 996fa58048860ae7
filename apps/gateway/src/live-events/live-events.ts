import { Injectable, type MessageEvent, type OnModuleDestroy } from '@nestjs/common';
import { exhaustMap, from, interval, Observable, Subject, takeUntil } from 'rxjs';
import { type Actor, worksIn } from '#libs/auth';
import {
  APPROVAL_READERS,
  ApprovalDecided,
  ApprovalEscalated,
  ApprovalReminded,
  ApprovalRequested,
  type CloudEvent,
  DiscrepancyList,
  DiscrepancyOpened,
  DiscrepancyResolved,
  RECONCILIATION_READERS,
  ReconciliationCompleted,
  type Role,
  SETTINGS_READERS,
  SettingsChanged,
} from '#libs/contracts';
import { HoldfastError } from '#libs/domain';

const HEARTBEAT_MS = 15_000;
/** With what {@link Identities} remembers, rights that are withdrawn act within a second. */
const IDENTIFY_MS = 400;
const RECONNECT_AFTER_MS = 2_000;
const STREAMS_PER_CALLER_MAX = 100;

/** One stream: who watches, with the rights of the moment, and where events go. */
interface Watcher {
  actor: Actor;
  readonly send: (event: CloudEvent) => void;
}

/** Hands the events that Holdfast publishes to those who watch their organisation. */
@Injectable()
export class LiveEvents implements OnModuleDestroy {
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #stopped = new Subject<void>();

  /**
   * The events of the actor's organisation from now on, as far as the actor may read them. It ends when `identify`, which is asked again
   * and again, does not know the actor any more.
   */
  stream(actor: Actor, identify: () => Promise<Actor>): Observable<MessageEvent> {
    const stream = new Observable<MessageEvent>((subscriber) => {
      const watchers = this.#watchers.get(actor.orgId) ?? new Set<Watcher>();
      const own = [...watchers].filter((other) => other.actor.userId === actor.userId);
      if (own.length >= STREAMS_PER_CALLER_MAX) {
        subscriber.error(new HoldfastError('limited', 'RATE_LIMITED', `At most ${STREAMS_PER_CALLER_MAX} streams of events at once.`));
        return;
      }
      const watcher: Watcher = {
        actor,
        send: (event) => subscriber.next({ id: event.id, type: event.type, data: event }),
      };
      this.#watchers.set(actor.orgId, watchers.add(watcher));
      // The first line tells clients and proxies that the stream has begun.
      subscriber.next({ comment: 'welcome', retry: RECONNECT_AFTER_MS });
      const identified = interval(IDENTIFY_MS).pipe(exhaustMap(() => from(identify())));
      subscriber.add(identified.subscribe({ next: (now) => (watcher.actor = now), error: () => subscriber.complete() }));
      subscriber.add(interval(HEARTBEAT_MS).subscribe(() => subscriber.next({ comment: 'still here' })));
      subscriber.add(() => {
        watchers.delete(watcher);
        if (watchers.size === 0) this.#watchers.delete(actor.orgId);
      });
    });
    return stream.pipe(takeUntil(this.#stopped));
  }

  /** Hands an event to those who watch its organisation. */
  publish(event: CloudEvent): void {
    for (const { actor, send } of this.#watchers.get(event.orgid) ?? []) if (mayRead(actor, event)) send(event);
  }

  onModuleDestroy(): void {
    this.#stopped.next();
  }
}

/** The events that not every role may read. */
const READERS = new Map<string, readonly Role[]>([
  [SettingsChanged.type, SETTINGS_READERS],
  [ReconciliationCompleted.type, RECONCILIATION_READERS],
  ...[ApprovalRequested, ApprovalReminded, ApprovalEscalated, ApprovalDecided].map(({ type }) => [type, APPROVAL_READERS] as const),
  ...[DiscrepancyOpened, DiscrepancyResolved].map(({ type }) => [type, DiscrepancyList.allow] as const),
]);

/** Where events say which warehouses they are about. */
interface EventPlaces {
  readonly warehouseId?: string | null;
  readonly warehouses?: readonly string[] | null;
  readonly findings?: readonly { readonly warehouseId: string | null }[];
}

/**
 * What is about a warehouse that the actor does not work in is left out, and what the actor's roles may not read. What is about several
 * warehouses is for who works in all of them; null = whichever, or an order as a whole.
 */
function mayRead(actor: Actor, { type, data }: CloudEvent): boolean {
  if (actor.roles.length === 0) return false;
  if (!actor.roles.some((role) => READERS.get(type)?.includes(role) ?? true)) return false;
  const { warehouseId, warehouses = [], findings = [] } = data as EventPlaces;
  if (warehouses === null || warehouseId === null) return actor.warehouses === null;
  return [...warehouses, warehouseId, ...findings.map((finding) => finding.warehouseId)].every((id) => !id || worksIn(actor, id));
}
