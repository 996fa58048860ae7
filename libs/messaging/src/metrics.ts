import { Counter, register, type Registry } from 'prom-client';

const instances = new WeakMap<Registry, MessagingMetrics>();

/** What messaging counts, in a registry of prom-client; several services of one process share it. */
export class MessagingMetrics {
  readonly #published: Counter;
  readonly #consumed: Counter;
  readonly #unroutable: Counter;
  readonly #errors: Counter;
  /** Counting with labels costs a microsecond, too much for each of thousands of messages a second: these are added up when asked for. */
  readonly #publishedBy = new Map<string, number>();
  readonly #handledBy = new Map<string, number>();

  private constructor(registry: Registry) {
    this.#published = new Counter({
      name: 'events_published_total',
      help: 'Events that are with everybody they must reach, by publishing service.',
      labelNames: ['service'],
      registers: [registry],
      collect: () => moveInto(this.#publishedBy, (service, count) => this.#published.inc({ service }, count)),
    });
    this.#consumed = new Counter({
      name: 'events_consumed_total',
      help: 'Events given to a service, by outcome: handled, retry, parked.',
      labelNames: ['service', 'outcome'],
      registers: [registry],
      collect: () => moveInto(this.#handledBy, (service, count) => this.#consumed.inc({ service, outcome: 'handled' }, count)),
    });
    this.#unroutable = new Counter({
      name: 'events_unroutable_total',
      help: 'Published events that no queue took, by type.',
      labelNames: ['type'],
      registers: [registry],
    });
    // The service library declares this one too.
    const name = 'integration_errors_total';
    this.#errors =
      (registry.getSingleMetric(name) as Counter | undefined) ??
      new Counter({
        name,
        help: 'Failed messages and calls between services, by type and reason.',
        labelNames: ['type', 'reason'],
        registers: [registry],
      });
  }

  /** Those of a registry; made on first use. */
  static in(registry: Registry = register): MessagingMetrics {
    const metrics = instances.get(registry) ?? new MessagingMetrics(registry);
    instances.set(registry, metrics);
    return metrics;
  }

  published(service: string): void {
    this.#publishedBy.set(service, (this.#publishedBy.get(service) ?? 0) + 1);
  }

  handled(service: string): void {
    this.#handledBy.set(service, (this.#handledBy.get(service) ?? 0) + 1);
  }

  notHandled(service: string, outcome: 'retry' | 'parked'): void {
    this.#consumed.inc({ service, outcome });
  }

  unroutable(type: string): void {
    this.#unroutable.inc({ type });
  }

  /** A message or call that failed: `type` is a known event type or call pattern, because the values of a label must stay few. */
  failed(type: string, reason: string): void {
    this.#errors.inc({ type, reason });
  }
}

function moveInto(counts: Map<string, number>, add: (service: string, count: number) => void): void {
  for (const [service, count] of counts) add(service, count);
  counts.clear();
}
