import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import fastify from 'fastify';
import { parse, parseAllDocuments } from 'yaml';
import { allEvents } from '#libs/contracts';
import { addProbes, loadConfig, type Readiness } from '#libs/service';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** The apps that run as a process of their own. */
const APPS = Object.entries((JSON.parse(read('nest-cli.json')) as { projects: Record<string, { type: string }> }).projects)
  .filter(([name, { type }]) => type === 'application' && name !== 'standalone')
  .map(([name]) => name);

interface Container {
  readonly command: readonly string[];
  readonly ports?: readonly { name: string; containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
}
interface Probe {
  readonly httpGet: { path: string; port: string };
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { name: string };
  readonly spec?: { template?: { spec: { containers: readonly [Container] } } };
}
type Environment = Record<string, string>;
interface Settings {
  readonly data?: Environment;
  readonly stringData?: Environment;
}
interface Definitions {
  readonly users: readonly { name: string }[];
  readonly permissions: readonly { user: string; configure: string; write: string; read: string }[];
  readonly topic_permissions: readonly { user: string; write: string; read: string }[];
}
interface ComposeService {
  readonly environment?: Environment;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly healthcheck?: { test: readonly string[] };
}

const manifests = readdirSync(join(ROOT, 'k8s'))
  .filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
  .flatMap((file) => parseAllDocuments(read(`k8s/${file}`)).map((document) => document.toJS() as Manifest));
const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, ComposeService> };
const container = (name: string) =>
  manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata?.name === name)?.spec?.template?.spec.containers[0];

describe('packaging', () => {
  it.each(APPS)('%s has a deployment, a compose service and an entry', (name) => {
    const command = ['node', `dist/apps/${name}/src/main.js`];
    expect(container(name)?.command).toEqual(command);
    expect(compose.services[name]?.command).toEqual(command);
    expect(existsSync(join(ROOT, `apps/${name}/src/main.ts`))).toBe(true);
  });

  it('packages no app that does not exist', () => {
    const deployed = manifests.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata!.name);
    expect(deployed.sort()).toEqual([...APPS].sort());
  });

  it('runs only files that the build makes', () => {
    const commands = [
      ...manifests.flatMap(({ spec }) => spec?.template?.spec.containers.map(({ command }) => command) ?? []),
      ...Object.values(compose.services).flatMap(({ command, entrypoint }) => [command ?? [], entrypoint ?? []]),
      JSON.parse(/^CMD (.*)$/m.exec(read('Dockerfile'))![1]!) as string[],
      ...Object.values((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts).map((script) =>
        script.split(' '),
      ),
    ];
    const built = commands.flat().filter((word) => word.startsWith('dist/'));
    expect(built.length).toBeGreaterThan(8);
    for (const file of built) {
      const source = file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
      expect({ file, exists: existsSync(join(ROOT, source)) }).toEqual({ file, exists: true });
    }
  });

  it.each(APPS)('the probes of %s ask for what it answers', (name) => {
    const server = fastify();
    addProbes(server, {} as Readiness);
    const { ports, startupProbe, livenessProbe, readinessProbe } = container(name)!;
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      expect(server.hasRoute({ method: 'GET', url: probe!.httpGet.path })).toBe(true);
      expect(ports!.map((port) => port.name)).toContain(probe!.httpGet.port);
    }
    expect(readinessProbe!.httpGet.path).toBe('/health/ready');
    const [, path] = /http:\/\/127\.0\.0\.1:8080(\/[\w/]+)/.exec(compose.services[name]!.healthcheck!.test.join(' '))!;
    expect(server.hasRoute({ method: 'GET', url: path! })).toBe(true);
  });

  it.each(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata?.name}`, manifest] as const))(
    'Kubernetes takes %s',
    async (_name, manifest) => {
      const models = (await import(`kubernetes-models/${manifest.apiVersion}`)) as Record<
        string,
        new (data: unknown) => { validate(): void }
      >;
      const Model = models[manifest.kind]!;
      new Model(manifest).validate();
    },
  );

  it('lists every manifest in the kustomization, except the example of a secret', () => {
    const { resources } = parse(read('k8s/kustomization.yaml')) as { resources: string[] };
    const files = readdirSync(join(ROOT, 'k8s')).filter((file) => !['kustomization.yaml', 'secret.example.yaml'].includes(file));
    expect([...resources].sort()).toEqual(files.sort());
  });

  // Where kubectl is there, it says what it would apply.
  const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0 ? it : it.skip;
  kubectl('kustomize builds the base', () => {
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', 'k8s'], { cwd: ROOT, encoding: 'utf8' });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const built = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
    expect(built.length).toBe(manifests.length - 1);
    expect(stdout.match(/image: .*/g)!.every((image) => /^image: holdfast:\d/.test(image))).toBe(true);
  });

  it('configures everything that production requires', () => {
    const variables = manifests.filter(({ kind }) => kind === 'ConfigMap' || kind === 'Secret') as readonly Settings[];
    const inCluster = loadConfig(
      Object.assign({}, ...variables.map(({ data, stringData }) => ({ ...data, ...stringData }))) as Environment,
    );
    expect(inCluster).toMatchObject({ production: true, host: '0.0.0.0', auth: { mode: 'jwks' } });
    for (const name of APPS) {
      const environment = Object.entries(compose.services[name]!.environment!).map(([key, value]) => [
        key,
        value.replace(/\$\{\w+:-(.*)\}/, '$1'),
      ]);
      const inCompose = loadConfig({ ...Object.fromEntries(environment), HOLDFAST_ACTOR_SECRET: 'x'.repeat(64) } as Environment);
      const user = new URL(inCompose.amqpUrl).username;
      expect({ user, speaksFor: inCompose.amqpUserOrgs![user], production: inCompose.production }).toEqual({
        user: name,
        speaksFor: '*',
        production: true,
      });
    }
  });

  it('gives every service a broker user for its own queues, and an OMS one for incoming events of its organisation', () => {
    const { users, permissions, topic_permissions: topics } = JSON.parse(read('docker/rabbitmq/definitions.json')) as Definitions;
    for (const name of APPS) {
      expect(users.map((user) => user.name)).toContain(name);
      const { configure, read: reads } = permissions.find(({ user }) => user === name)!;
      expect(`${name}.events`).toMatch(new RegExp(configure));
      for (const other of APPS.filter((app) => app !== name)) expect(`${other}.events`).not.toMatch(new RegExp(reads));
    }
    const oms = topics.find(({ user }) => user === 'oms-demo')!;
    for (const { type, direction } of allEvents()) {
      expect([type, new RegExp(oms.write).test(`${type}.demo`)]).toEqual([type, direction === 'in']);
      expect(`${type}.other`).not.toMatch(new RegExp(`${oms.write}|${oms.read}`));
    }
    expect('#').not.toMatch(new RegExp(oms.read));
    expect('amq.default').not.toMatch(new RegExp(permissions.find(({ user }) => user === 'oms-demo')!.write));
  });

  it('has a Dockerfile without mistakes that ends as an ordinary user', () => {
    const text = read('Dockerfile');
    expect(validate(text)).toEqual([]);
    expect(text.match(/^USER .*/gm)).toEqual(['USER node']);
    // Node is pinned in package.json; the image has the same major version.
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: { node: string } };
    expect(text.match(/^FROM node:(\d+)/m)?.[1]).toBe(dependencies.node.split('.')[0]);
  });

  it('has a compose file without mistakes', () => {
    const { status, stdout } = spawnSync(process.execPath, ['node_modules/dclint/bin/dclint.cjs', '--quiet', 'docker-compose.yml'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect({ status, stdout }).toMatchObject({ status: 0 });
  });

  // A registry that has not all of them makes npm leave the others out; then "npm ci" refuses the lock file on every machine.
  it('locks the optional packages of every platform', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { optionalDependencies?: object }> };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).filter(
        (name) => !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });
});
