/**
 * Prints users of the broker with their permissions, for `rabbitmqctl import_definitions` or `load_definitions`:
 *
 *   npm run -s broker:users -- --services                     each service of Holdfast
 *   npm run -s broker:users -- --oms oms-acme=acme            an OMS, here of the organisation acme; may be repeated
 *
 * `--vhost` and `--prefix` as in AMQP_URL and HOLDFAST_MESSAGING_PREFIX. Passwords come from the environment, as BROKER_PASSWORD_OMS_ACME
 * for the user oms-acme, and are printed as salted hashes only.
 */
import { parseArgs } from 'node:util';
import { type BrokerUser, brokerDefinitions } from '#libs/messaging';
import { SERVICE_NAMES } from '../apps/standalone/src/service-names.js';

const { values } = parseArgs({
  options: {
    services: { type: 'boolean', default: false },
    oms: { type: 'string', multiple: true, default: [] },
    vhost: { type: 'string' },
    prefix: { type: 'string' },
  },
});

const problems: string[] = [];
const users = [...(values.services ? SERVICE_NAMES.map((service) => ({ name: service, service })) : []), ...values.oms.map(readOms)].map(
  (user): BrokerUser => ({ ...user, password: passwordOf(user.name) }),
);
if (users.length === 0) problems.push('Say --services, --oms USER=ORGANISATION, or both.');
if (problems.length === 0) console.log(JSON.stringify(brokerDefinitions(users, values.vhost, values.prefix), null, 2));
else {
  console.error(problems.join('\n'));
  process.exitCode = 2;
}

function readOms(said: string): { name: string; orgId: string } {
  const [, name = '', orgId = ''] = /^([A-Za-z0-9_-]{1,64})=([A-Za-z0-9_:-]{1,64})$/.exec(said) ?? [];
  if (name === '') problems.push(`--oms must be USER=ORGANISATION, such as oms-acme=acme, but is "${said}".`);
  if (SERVICE_NAMES.some((service) => service === name)) problems.push(`${name} is a service: call the user of the OMS otherwise.`);
  return { name, orgId };
}

function passwordOf(user: string): string {
  const variable = `BROKER_PASSWORD_${user.toUpperCase().replaceAll('-', '_')}`;
  const password = process.env[variable] ?? '';
  if (password === '' && user !== '') problems.push(`${variable} is missing: the password of ${user}.`);
  return password;
}
