import { allCalls, allEvents, asyncApi, validateEnvelope } from './index.js';

interface Document {
  readonly channels: Record<string, { address: string | null; messages: Record<string, { $ref: string }> }>;
  readonly operations: Record<string, { action: string; channel: { $ref: string } }>;
  readonly components: { messages: Record<string, { payload: object; examples: { payload: { data: unknown; response?: unknown } }[] }> };
}

const document = JSON.parse(JSON.stringify(asyncApi())) as Document;
const publicCalls = allCalls().filter((call) => call.visibility === 'public');

describe('asyncApi', () => {
  it('shows an example of each event that fits its own schema', () => {
    for (const event of allEvents()) {
      const [example] = document.components.messages[event.type]!.examples;
      expect([event.type, validateEnvelope(example!.payload)]).toEqual([event.type, null]);
      expect([event.type, event.validate(example!.payload.data)]).toEqual([event.type, null]);
    }
  });

  it('shows an example of each call that fits its own schema', () => {
    for (const call of publicCalls) {
      const [example] = document.components.messages[call.pattern]!.examples;
      expect([call.pattern, call.validate(example!.payload.data)]).toEqual([call.pattern, null]);
      expect(document.components.messages[`${call.pattern}.reply`]!.examples[0]!.payload.response).toBeDefined();
    }
  });

  it('has an operation for each event and each public call, and for no other', () => {
    const events = allEvents().map(({ type, direction }) => `${direction === 'in' ? 'receive' : 'send'}${type}`);
    expect(Object.keys(document.operations).sort()).toEqual([...events, ...publicCalls.map(({ pattern }) => pattern)].sort());
    expect(document.channels['OrderConfirmed']!.address).toBe('OrderConfirmed.{orgid}');
    expect(document.channels['stock.demand']!.address).toBe('inventory.rpc');
  });

  it('refers only to what is there', () => {
    const refs: string[] = [];
    JSON.stringify(document, (key, value: unknown) => {
      if (key === '$ref') refs.push(value as string);
      return value;
    });
    expect(refs.length).toBeGreaterThan(100);
    for (const ref of refs) {
      const found = ref
        .slice(2)
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
      expect([ref, found !== undefined]).toEqual([ref, true]);
    }
  });
});
