import { Injectable, type MessageEvent, type OnModuleDestroy } from '@nestjs/common';
import { concat, exhaustMap, filter, from, ignoreElements, interval, map, merge, Observable, of, Subject, takeUntil } from 'rxjs';
import { type Actor, worksIn } from '#libs/auth';
import { type CloudEvent, SETTINGS_READERS, SettingsChanged } from '#libs/contracts';
import { HoldfastError } from '#libs/domain';
import { Members } from '../auth/members.js';

const HEARTBEAT_MS = 15_000;
const REVALIDATE_MS = 500;
const STREAMS_PER_CALLER_MAX = 100;
const RECONNECT_AFTER_MS = 2_000;

/** Hands the events that Holdfast publishes to those who watch their organisation. */
@Injectable()
export class LiveEvents implements OnModuleDestroy {
  readonly #watchers = new Map<string, Set<Subject<CloudEvent>>>();
  readonly #streamsOf = new Map<string, number>();
  readonly #stopped = new Subject<void>();

  constructor(private readonly members: Members) {}

  /** The events of the actor's organisation from now on. It ends when the actor's access is withdrawn. */
  stream(actor: Actor): Observable<MessageEvent> {
    const access = interval(REVALIDATE_MS).pipe(
      exhaustMap(() => from(this.members.applyTo(actor))),
      ignoreElements(),
    );
    const heartbeat = interval(HEARTBEAT_MS).pipe(map((): MessageEvent => ({ comment: 'still here' }) as MessageEvent));
    const events = this.#watch(actor).pipe(
      filter((event) => mayRead(actor, event)),
      map((event): MessageEvent => ({ id: event.id, type: event.type, data: event })),
    );
    // The first line makes proxies and clients see that the stream has begun.
    const hello = of<MessageEvent>({ id: '', retry: RECONNECT_AFTER_MS, data: '' });
    return concat(hello, merge(events, heartbeat, access)).pipe(takeUntil(this.#stopped));
  }

  /** Hands an event to those who watch its organisation. */
  publish(event: CloudEvent): void {
    for (const watcher of this.#watchers.get(event.orgid) ?? []) watcher.next(event);
  }

  onModuleDestroy(): void {
    this.#stopped.next();
  }

  #watch(actor: Actor): Observable<CloudEvent> {
    return new Observable((subscriber) => {
      const caller = JSON.stringify([actor.orgId, actor.userId]);
      const streams = this.#streamsOf.get(caller) ?? 0;
      if (streams >= STREAMS_PER_CALLER_MAX) {
        subscriber.error(new HoldfastError('limited', 'RATE_LIMITED', `At most ${STREAMS_PER_CALLER_MAX} streams of events at once.`));
        return;
      }
      this.#streamsOf.set(caller, streams + 1);
      const watcher = new Subject<CloudEvent>();
      const watchers = this.#watchers.get(actor.orgId) ?? new Set();
      this.#watchers.set(actor.orgId, watchers.add(watcher));
      const subscription = watcher.subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        watchers.delete(watcher);
        if (watchers.size === 0) this.#watchers.delete(actor.orgId);
        const left = this.#streamsOf.get(caller)! - 1;
        if (left === 0) this.#streamsOf.delete(caller);
        else this.#streamsOf.set(caller, left);
      };
    });
  }
}

/** What is about a warehouse that the actor does not work in is left out, and settings for those who may not read them. */
function mayRead(actor: Actor, { type, data }: CloudEvent): boolean {
  if (type === SettingsChanged.type && !actor.roles.some((role) => SETTINGS_READERS.includes(role))) return false;
  const { warehouseId } = data as { warehouseId?: string };
  return warehouseId === undefined || worksIn(actor, warehouseId);
}
