/**
 * Remembers what was looked up for half a second, so that a busy caller costs two reads a second and a revocation still acts within
 * one. Lookups under way are shared.
 */
export class Recent<T> {
  readonly #entries = new Map<string, { readonly value: Promise<T>; readonly until: number }>();

  constructor(
    private readonly lookUp: (key: string) => Promise<T>,
    private readonly ttlMs = 500,
    private readonly countMax = 10_000,
  ) {}

  get(key: string): Promise<T> {
    const now = performance.now();
    const known = this.#entries.get(key);
    if (known && known.until > now) return known.value;
    const value = this.lookUp(key);
    // Counted from the start of the lookup: what it reads may be outdated by the time it ends.
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: now + this.ttlMs });
    value.catch(() => this.forget(key));
    this.#makeRoom(now);
    return value;
  }

  /** For what this process has changed itself. */
  forget(key: string): void {
    this.#entries.delete(key);
  }

  /** Entries are in the order of their age. */
  #makeRoom(now: number): void {
    for (const [key, { until }] of this.#entries) {
      if (until > now && this.#entries.size <= this.countMax) return;
      this.#entries.delete(key);
    }
  }
}
