import { setTimeout as sleep } from 'node:timers/promises';

/** An answer of Holdfast that is not a success. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Nothing answers at the address. */
export class NothingThere extends Error {}

const ATTEMPTS_MAX = 20;

/** Calls the HTTP API as one user; waits and asks again when it is told to (429 and 503 with `Retry-After`). */
export class Api {
  constructor(
    private readonly baseUrl: string,
    readonly token?: string,
    private readonly apiKey?: string,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.call('GET', path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.call('POST', path, body);
  }

  put<T>(path: string, body: unknown = {}): Promise<T> {
    return this.call('PUT', path, body);
  }

  /** Goes through all pages of a list. */
  async *all<T>(path: string, list: string): AsyncGenerator<T> {
    let cursor: string | null | undefined;
    do {
      const query = new URLSearchParams({ limit: '500', ...(cursor ? { cursor } : {}) });
      const page = await this.get<Record<string, unknown>>(`${path}${path.includes('?') ? '&' : '?'}${query.toString()}`);
      yield* page[list] as T[];
      cursor = page['nextCursor'] as string | null | undefined;
    } while (cursor);
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    // The same key for each attempt, so that asking again does nothing twice.
    const headers: Record<string, string> = { 'idempotency-key': crypto.randomUUID() };
    if (this.token !== undefined) headers['authorization'] = `Bearer ${this.token}`;
    if (this.apiKey !== undefined) headers['x-api-key'] = this.apiKey;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const request = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(new URL(path, this.baseUrl), request).catch((error: unknown) => {
        throw new NothingThere(`Nothing answers at ${this.baseUrl}.`, { cause: error });
      });
      if (response.ok) return (await response.json()) as T;
      const wait = Number(response.headers.get('retry-after') ?? '0');
      if ([429, 503].includes(response.status) && attempt < ATTEMPTS_MAX) {
        await response.body?.cancel();
        await sleep(Math.max(0.1, wait) * 1_000);
        continue;
      }
      const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string; title?: string };
      const reason = problem.detail ?? problem.title ?? response.statusText;
      throw new Refused(response.status, problem.code ?? '', `${method} ${path}: ${response.status} ${problem.code ?? ''} ${reason}`);
    }
  }
}
