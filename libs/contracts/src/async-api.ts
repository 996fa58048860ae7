import { type TSchema, Type } from '@sinclair/typebox';
import { CLOUD_EVENT_CONTENT_TYPE, type CloudEvent, EVENTS_EXCHANGE, PARKED_QUEUE } from './cloud-event.js';
import { allCalls, CALLS_EXCHANGE, type CallDefinition, rpcQueue } from './define-call.js';
import { allEvents, type EventDefinition } from './define-event.js';
import { exampleOf } from './example-of.js';
import { OrgId } from './schema.js';

const DESCRIPTION = `What Holdfast takes and says over RabbitMQ.

**Events** are CloudEvents 1.0 in JSON on the topic exchange \`${EVENTS_EXCHANGE}\`, with the routing key \`<Type>.<orgid>\`. A repeat of
(\`source\`, \`id\`) has no effect for 14 days, a repeat of the business key ever. Unknown fields are ignored. What cannot be understood is
parked and copied to the queue \`${PARKED_QUEUE}\`.

**Calls** are requests to the queue of a service, sent to it directly or through the exchange \`${CALLS_EXCHANGE}\` with the name of the
queue as routing key, and answered to \`replyTo\` with the same \`correlationId\`. A call carries \`expiration\`;
one that nobody waits for any more is not executed.`;

const EXAMPLE_TIME = '2026-03-01T10:00:00Z';
const EXAMPLE_ID = '019cb5b1-0000-7000-8000-0000000000aa';

/** The AsyncAPI 3.0 document of all events and of the calls that outsiders may make, read off their definitions. */
export function asyncApi(): object {
  const events = allEvents();
  const calls = allCalls().filter(({ visibility }) => visibility === 'public');
  return {
    asyncapi: '3.0.0',
    info: { title: 'Holdfast', version: '1', description: DESCRIPTION, license: { name: 'MIT' } },
    defaultContentType: 'application/json',
    servers: { broker: { host: '{host}', protocol: 'amqp', protocolVersion: '0.9.1', variables: { host: { default: 'localhost:5672' } } } },
    channels: Object.fromEntries<object>([...events.map(eventChannel), ...calls.flatMap(callChannels)]),
    operations: Object.fromEntries<object>([...events.map(eventOperation), ...calls.map(callOperation)]),
    components: { messages: Object.fromEntries<object>([...events.map(eventMessage), ...calls.flatMap(callMessages)]) },
  };
}

const ref = (path: string) => ({ $ref: `#/${path}` });

function eventChannel({ type }: EventDefinition) {
  const channel = {
    address: `${type}.{orgid}`,
    parameters: { orgid: { description: 'The organisation.' } },
    messages: { [type]: ref(`components/messages/${type}`) },
    bindings: { amqp: { is: 'routingKey', exchange: { name: EVENTS_EXCHANGE, type: 'topic', durable: true, vhost: '/' } } },
  };
  return [type, channel] as const;
}

function eventOperation({ type, direction, summary }: EventDefinition) {
  const action = direction === 'in' ? 'receive' : 'send';
  return [
    `${action}${type}`,
    { action, channel: ref(`channels/${type}`), summary, messages: [ref(`channels/${type}/messages/${type}`)] },
  ] as const;
}

function eventMessage({ type, summary, data, dataSchema, direction }: EventDefinition) {
  const payload = {
    type: 'object',
    required: ['specversion', 'id', 'source', 'type', 'time', 'orgid', 'data'],
    properties: {
      specversion: { const: '1.0' },
      id: { type: 'string', maxLength: 200 },
      source: { type: 'string', maxLength: 200 },
      type: { const: type },
      time: { type: 'string', format: 'date-time' },
      subject: { type: 'string', maxLength: 200, description: 'The order, item or request that it is about.' },
      datacontenttype: { const: 'application/json' },
      dataschema: { const: dataSchema },
      orgid: OrgId,
      sequence: { type: 'integer', minimum: 1, description: 'Counted per order by its source.' },
      causationid: { type: 'string', description: 'The id of the event that this one answers.' },
      actor: { type: 'string', description: 'On whose behalf.' },
      traceparent: { type: 'string' },
      data,
    },
  };
  const example = eventExample(type, data, dataSchema, direction);
  const message = {
    name: type,
    title: type,
    summary,
    contentType: CLOUD_EVENT_CONTENT_TYPE,
    payload,
    examples: [{ name: type, payload: example }],
  };
  return [type, message] as const;
}

function eventExample(type: string, data: TSchema, dataschema: string, direction: 'in' | 'out'): CloudEvent {
  const example = exampleOf(data) as Record<string, unknown>;
  const subject = example['orderId'] ?? example['receiptId'] ?? example['approvalRequestId'] ?? example['itemId'];
  return {
    specversion: '1.0',
    id: EXAMPLE_ID,
    source: direction === 'in' ? 'https://oms.example.com' : '/inventory',
    type,
    time: EXAMPLE_TIME,
    subject: typeof subject === 'string' ? subject : 'acme',
    datacontenttype: 'application/json',
    dataschema,
    orgid: 'acme',
    ...(example['orderId'] === undefined ? {} : { sequence: 1 }),
    data: example,
  };
}

const replyName = (pattern: string) => `${pattern}.reply`;

function callChannels({ pattern, service }: CallDefinition) {
  const request = {
    address: rpcQueue(service),
    messages: { [pattern]: ref(`components/messages/${pattern}`) },
    bindings: { amqp: { is: 'queue', queue: { name: rpcQueue(service), durable: true, vhost: '/' } } },
  };
  const reply = { address: null, messages: { [replyName(pattern)]: ref(`components/messages/${replyName(pattern)}`) } };
  return [
    [pattern, request],
    [replyName(pattern), reply],
  ] as const;
}

function callOperation({ pattern, summary }: CallDefinition) {
  const operation = {
    action: 'receive',
    channel: ref(`channels/${pattern}`),
    summary,
    messages: [ref(`channels/${pattern}/messages/${pattern}`)],
    reply: {
      address: { location: '$message.header#/replyTo' },
      channel: ref(`channels/${replyName(pattern)}`),
      messages: [ref(`channels/${replyName(pattern)}/messages/${replyName(pattern)}`)],
    },
  };
  return [pattern, operation] as const;
}

/** A call travels as NestJS clients speak it. */
function callMessages({ pattern, summary, request, response }: CallDefinition) {
  const data = { allOf: [Type.Object({ orgId: OrgId, actor: Type.Optional(Type.String()) }), request] };
  const asked = { pattern, id: EXAMPLE_ID, data: { orgId: 'acme', ...(exampleOf(request) as object) } };
  const answered = { response: exampleOf(response), isDisposed: true, id: EXAMPLE_ID };
  const headers = {
    type: 'object',
    properties: { replyTo: { type: 'string' }, correlationId: { type: 'string' }, expiration: { type: 'string' } },
  };
  const message = {
    name: pattern,
    summary,
    headers,
    payload: {
      type: 'object',
      required: ['pattern', 'id', 'data'],
      properties: { pattern: { const: pattern }, id: { type: 'string' }, data },
    },
    correlationId: { location: '$message.header#/correlationId' },
    examples: [{ name: pattern, payload: asked }],
  };
  const reply = {
    name: replyName(pattern),
    summary: `Answers ${pattern}.`,
    payload: {
      type: 'object',
      required: ['id', 'isDisposed'],
      properties: {
        id: { type: 'string' },
        isDisposed: { const: true },
        response,
        err: {
          type: 'object',
          required: ['code', 'message'],
          properties: { kind: { type: 'string' }, code: { type: 'string' }, message: { type: 'string' } },
        },
      },
    },
    correlationId: { location: '$message.header#/correlationId' },
    examples: [{ name: replyName(pattern), payload: answered }],
  };
  return [
    [pattern, message],
    [replyName(pattern), reply],
  ] as const;
}
