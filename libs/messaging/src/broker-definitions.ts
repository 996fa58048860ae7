import { createHash, randomBytes } from 'node:crypto';
import { allEvents, type EventDefinition, type ServiceName } from '#libs/contracts';
import { ORG_ID_PATTERN } from '#libs/domain';
import { RabbitTopology } from './rabbit-topology.js';

/** Who logs in to the broker: one of our services, or a system of an organisation, such as its OMS. */
export type BrokerUser = { readonly name: string; readonly password: string } & (
  { readonly service: ServiceName } | { readonly orgId: string }
);

/** What waits for a system that does not fetch it; then the oldest goes. */
const UNREAD_BYTES_MAX = 256 * 1024 * 1024;
const HASHING = 'rabbit_password_hashing_sha256';

/**
 * Users of a RabbitMQ and what each may do (docs/adr/0021), in the form that `rabbitmqctl import_definitions` and `load_definitions`
 * take. What is there already and not named stays. Passwords are in it as salted hashes.
 *
 * A service configures, reads and binds its own queues, and publishes the events that it is the publisher of. A system of an
 * organisation publishes what Holdfast takes from outside, under its organisation's routing keys; reads one queue, made here, with what
 * Holdfast says to its organisation; makes calls; and configures nothing.
 *
 * @param users those to make or to change.
 * @param vhost where they may do it; made if it does not exist.
 * @param prefix as `HOLDFAST_MESSAGING_PREFIX`.
 */
export function brokerDefinitions(users: readonly BrokerUser[], vhost = '/', prefix?: string): object {
  const topology = new RabbitTopology(prefix);
  const { eventsExchange, callsExchange } = topology;
  const systems = users.filter((user) => 'orgId' in user);
  return {
    users: users.map(({ name, password }) => ({ name, password_hash: hashed(password), hashing_algorithm: HASHING, tags: [] })),
    vhosts: [{ name: vhost }],
    permissions: users.map((user) => ({ user: user.name, vhost, ...permission(user, topology) })),
    topic_permissions: users.map((user) => ({ user: user.name, vhost, exchange: eventsExchange, ...topicPermission(user) })),
    exchanges: [
      { name: eventsExchange, vhost, type: 'topic', durable: true, auto_delete: false, internal: false, arguments: {} },
      { name: callsExchange, vhost, type: 'direct', durable: true, auto_delete: false, internal: false, arguments: {} },
    ],
    queues: systems.map(({ name }) => ({
      ...{ name: topology.eventsQueue(name), vhost, durable: true, auto_delete: false },
      arguments: { 'x-queue-type': 'quorum', 'x-max-length-bytes': UNREAD_BYTES_MAX, 'x-overflow': 'drop-head' },
    })),
    bindings: systems.flatMap(({ name, orgId }) =>
      typesThat(({ direction }) => direction === 'out').map((type) => ({
        ...{ source: eventsExchange, vhost, destination: topology.eventsQueue(name), destination_type: 'queue' },
        ...{ routing_key: `${type}.${orgId}`, arguments: {} },
      })),
    ),
  };
}

function permission(user: BrokerUser, topology: RabbitTopology) {
  const { eventsExchange, callsExchange, parkedQueue } = topology;
  if ('orgId' in user) {
    // Not even a queue of its own: one may dead-letter, and an exchange may be bound to another, past the rules for routing keys.
    return {
      configure: '^$',
      write: anyOf(literal(eventsExchange), literal(callsExchange)),
      read: anyOf(literal(topology.eventsQueue(user.name))),
    };
  }
  // `inventory.` and whatever follows.
  const own = `${literal(topology.eventsQueue(user.service).replace(/events$/, ''))}.+`;
  const shared = [literal(eventsExchange), literal(callsExchange)];
  return {
    configure: anyOf(...shared, literal(parkedQueue), own),
    // Calls, answers, retries and copies of parked messages go through the default exchange.
    write: anyOf(literal(eventsExchange), own, 'amq\\.default'),
    read: anyOf(...shared, own),
  };
}

function topicPermission(user: BrokerUser) {
  if ('orgId' in user)
    return {
      write: keys(
        typesThat(({ direction }) => direction === 'in'),
        literal(user.orgId),
      ),
      read: '^$',
    };
  const { service } = user;
  const listens = ({ consumers, direction }: EventDefinition) =>
    consumers.includes(service) || (service === 'gateway' && direction === 'out');
  return {
    write: keys(
      typesThat(({ publisher }) => publisher === service),
      ORG_ID_PATTERN.slice(1, -1),
    ),
    read: keys(typesThat(listens), '\\*'),
  };
}

const typesThat = (test: (event: EventDefinition) => boolean) =>
  allEvents()
    .filter(test)
    .map(({ type }) => type);
const keys = (types: readonly string[], organisation: string) => (types.length === 0 ? '^$' : `^(${types.join('|')})\\.${organisation}$`);
const anyOf = (...patterns: readonly string[]) => `^(${patterns.join('|')})$`;
const literal = (name: string) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** As RabbitMQ stores it: four bytes of salt, then SHA-256 of salt and password. */
function hashed(password: string): string {
  const salt = randomBytes(4);
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password).digest()]).toString('base64');
}
