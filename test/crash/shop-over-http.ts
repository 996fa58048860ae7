import type { CallAnswer } from '../support/outsider.js';
import type { HttpAnswer, HttpClient } from '../support/http-client.js';
import type { ShopCall } from './shop-orders.js';

type Data = Readonly<Record<string, unknown>>;

/** The route of each call that a shop makes. */
const ROUTES: Readonly<Record<string, (data: Data) => readonly [method: string, path: string]>> = {
  'orders.create': () => ['POST', '/orders'],
  'orders.confirm': ({ orderId }) => ['PUT', `/orders/${String(orderId)}/confirm`],
  'orders.cancel': ({ orderId }) => ['PUT', `/orders/${String(orderId)}/cancel`],
  'shipments.create': ({ orderId }) => ['POST', `/orders/${String(orderId)}/shipments`],
  'returns.create': ({ orderId }) => ['POST', `/orders/${String(orderId)}/returns`],
  'returns.receive': ({ returnId }) => ['PUT', `/returns/${String(returnId)}/receive`],
  'returns.inspect': ({ returnId }) => ['PUT', `/returns/${String(returnId)}/inspect`],
};

/** Calls through the gateway; when it is not there, or says so itself, the same is to be asked again. */
export function callOverHttp(client: HttpClient): ShopCall {
  return async (pattern, data) => {
    const [method, path] = ROUTES[pattern]!(data);
    // What the path says the body need not, and for these may not.
    const body = Object.fromEntries(
      Object.entries(data).filter(([name, value]) => !path.includes(`/${String(value)}`) || name === 'lines'),
    );
    const answer = await client.send(method, path, body).catch(() => undefined);
    return answer === undefined || answer.status === 503 ? undefined : asCallAnswer(answer);
  };
}

function asCallAnswer({ status, body }: HttpAnswer): CallAnswer {
  if (status < 400) return { response: body };
  return { err: { kind: status >= 500 ? 'bug' : 'refused', code: String(body['code']), message: String(body['detail']) } };
}
