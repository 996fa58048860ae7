import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import fastify from 'fastify';
import { parse, parseAllDocuments } from 'yaml';
import { addProbes, loadConfig, type Readiness } from '#libs/service';
import { build } from '../apps/standalone/src/test-process.js';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** The apps that run as a process of their own. */
const APPS = Object.entries((JSON.parse(read('nest-cli.json')) as { projects: Record<string, { type: string }> }).projects)
  .filter(([name, { type }]) => type === 'application' && name !== 'standalone')
  .map(([name]) => name);

interface Container {
  readonly command: readonly string[];
  readonly env?: readonly { name: string; valueFrom: { secretKeyRef: { name: string; key: string } } }[];
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
  readonly users: readonly { name: string; password_hash: string }[];
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
    expect(built.length).toBe(manifests.length - parseAllDocuments(read('k8s/secret.example.yaml')).length);
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
      expect(inCompose.production).toBe(true);
      for (const config of [inCompose, inCluster]) expect([name, config.amqpUserOrgs![name]]).toEqual([name, '*']);
    }
  });

  it('has every service log in to the broker as itself', () => {
    const examples = manifests.find(({ metadata }) => metadata?.name === 'holdfast-broker') as Settings;
    build();
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
    try {
      const make = () => {
        const env = { ...process.env, NODE_OPTIONS: '', KEYS_DIRECTORY: directory };
        const { status, stderr } = spawnSync(process.execPath, ['dist/scripts/compose-keys.js', 'make'], {
          cwd: ROOT,
          env,
          encoding: 'utf8',
        });
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
        return readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'));
      };
      const before = make();
      const { users } = JSON.parse(readFileSync(join(directory, 'broker-definitions.json'), 'utf8')) as Definitions;
      for (const name of APPS) {
        expect(container(name)?.env).toEqual([{ name: 'AMQP_URL', valueFrom: { secretKeyRef: { name: 'holdfast-broker', key: name } } }]);
        expect(new URL(examples.stringData![name]!).username).toBe(name);
        expect(compose.services[name]!.environment!['AMQP_URL_FILE']).toBe(`/app/keys/${name}.amqp-url`);
        const { username, password } = new URL(readFileSync(join(directory, `${name}.amqp-url`), 'utf8'));
        const hash = Buffer.from(users.find((user) => user.name === name)!.password_hash, 'base64');
        const expected = createHash('sha256').update(hash.subarray(0, 4)).update(password).digest();
        expect([username, hash.subarray(4).toString('hex')]).toEqual([name, expected.toString('hex')]);
      }
      // Made once: a second start changes no password, and only the salt of the hashes.
      const changed = make().filter((text, index) => text !== before[index]);
      expect(changed.map((text) => text.slice(0, 10))).toEqual(['{"users":[']);
    } finally {
      rmSync(directory, { recursive: true });
    }
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
