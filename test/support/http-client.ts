/** The answer to a request. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Any HTTP client: the gateway as an organisation's user sees it. */
export class HttpClient {
  private constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** @param url of the gateway, which gives development tokens. */
  static async signIn(
    url: string,
    orgId: string,
    roles: readonly string[] = ['admin'],
    userId = 'tester',
    warehouses?: readonly string[],
  ): Promise<HttpClient> {
    const { body } = await send(`${url}/api/v1/auth/token`, 'POST', { orgId, userId, roles, ...(warehouses && { warehouses }) });
    return new HttpClient(url, String(body['accessToken']));
  }

  /** Gives the organisation a warehouse and stock, `{ apple: 50 }`. */
  async stockUp(stock: Readonly<Record<string, number>>, warehouseId = 'main'): Promise<void> {
    const post = async (path: string, body: object) => {
      const { status, body: answer } = await this.send('POST', path, body);
      if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(answer)}`);
    };
    await post('/warehouses', { warehouseId, name: warehouseId });
    for (const itemId of Object.keys(stock)) await post('/items', { itemId, name: itemId, unitPrice: '1' });
    const lines = Object.entries(stock).map(([itemId, quantity]) => ({ itemId, quantity, unitCost: '1' }));
    await post('/inventory/receipts', { receiptId: `initial-${warehouseId}`, warehouseId, lines });
  }

  async send(method: string, path: string, body?: object, more: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return await send(`${this.url}/api/v1${path}`, method, body, this.token, more);
  }

  /** A file, as it comes. */
  async fetchFile(path: string): Promise<Response> {
    return await fetch(`${this.url}/api/v1${path}`, { headers: { authorization: `Bearer ${this.token}` } });
  }

  /** Sends a CSV file. */
  async sendCsv(path: string, file: string): Promise<HttpAnswer> {
    return await send(`${this.url}/api/v1${path}`, 'POST', file, this.token);
  }
}

async function send(
  url: string,
  method: string,
  body?: object | string,
  token?: string,
  more: Readonly<Record<string, string>> = {},
): Promise<HttpAnswer> {
  const isFile = typeof body === 'string';
  const headers = {
    ...more,
    ...(body === undefined ? {} : { 'content-type': isFile ? 'text/csv' : 'application/json' }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) }) });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
}
