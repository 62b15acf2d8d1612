/**
 * Real OCI containers for tests, with podman and crun as root: base images made with debootstrap, runs, builds,
 * cleanup. Everything is in a storage of its own in the cache folder. The user's images and containers are not touched.
 */
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isPresent } from '../../build/cache.ts';
import { cacheFolder, debianRootfs, isInstalled, rootfsSkipReason } from '../../build/rootfs.ts';
import { EXECUTABLE } from '../e2e/launch.ts';
import { Lines } from '../e2e/lines.ts';
import type { TestContext } from 'node:test';

const run = promisify(execFile);

/**
 * Base images: one like debian:bookworm-slim, and others with packages. When you change the packages, increase the tag.
 */
export const IMAGES = {
  slim: { tag: 'localhost/debian:bookworm-slim', packages: [] },
  programs: { tag: 'localhost/onevisor-programs:1', packages: ['nginx-light', 'redis-server', 'procps', 'curl'] },
  stack: {
    tag: 'localhost/onevisor-stack:1',
    packages: [
      'postgresql-15',
      'postgresql-client-15',
      'redis-server',
      'php8.2-fpm',
      'php8.2-pgsql',
      'nginx-light',
      'supervisor',
      'curl',
      'procps',
    ],
  },
  // The packages of node:24-bookworm that a build needs, without Node.
  compiler: { tag: 'localhost/onevisor-compiler:2', packages: ['g++', 'libc6-dev', 'ca-certificates'] },
} as const;
export type ImageName = keyof typeof IMAGES;

/** Path of the executable in every container. */
const INSIDE = '/usr/local/bin/onevisor';

/** Limits for machines without CAP_SYS_RESOURCE. They cannot raise limits, and podman's defaults are higher. */
const LIMITS = ['--ulimit', 'nofile=1024:2048', '--ulimit', 'nproc=1024:2048'];

/** Label of a container with the pid of the test that made it. */
const OWNER = 'onevisor.test';

/** Exit code and output of a command. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ContainerOptions {
  readonly image?: ImageName | { readonly tag: string };
  /** Command line. The default is the executable, which is then PID 1. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Text of /etc/supervisord.conf. */
  readonly config?: string;
  /** Files of the host that are mounted read-only: path inside → path of the host. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** The default is the machine's network, whose ports may be in use. `none` has a loopback device of its own. */
  readonly network?: 'host' | 'none';
  /** Further options of `podman run`, such as `--read-only` or `--user=1000`. */
  readonly flags?: readonly string[];
  /** True if the executable is mounted at /usr/local/bin/onevisor. An image may have its own. */
  readonly mountExecutable?: boolean;
}

/** A running container. */
export interface Container {
  readonly name: string;
  /** Output of the container, as the engine forwards it. */
  readonly stdout: Lines;
  readonly stderr: Lines;
  /** Exit code of the container, once it has ended. */
  readonly exit: Promise<number>;
  /** Waits for a line on stdout or stderr. */
  waitForLine(pattern: RegExp, options?: { count?: number; timeoutMs?: number }): Promise<RegExpExecArray>;
  /** Returns the output that `podman logs` has stored. */
  logs(): Promise<Outcome>;
  /** `podman stop`: sends SIGTERM, and SIGKILL after `seconds`. */
  stop(seconds?: number): Promise<void>;
  kill(signal: string): Promise<void>;
  /** `podman exec`. */
  exec(...command: string[]): Promise<Outcome>;
  /** Returns the answer of `podman inspect` for this container. */
  inspect(): Promise<Record<string, unknown>>;
  /** Time of its end in milliseconds since the epoch, recorded by its monitor, without the time that podman takes. */
  endedMs(): Promise<number>;
}

let reason: Promise<string | null> | undefined;

/** Returns the reason why no container can run here, for `skip`; null if one can. */
export function skipReason(): Promise<string | null> {
  reason ??= findReason();
  return reason;
}

async function findReason(): Promise<string | null> {
  const missing = await rootfsSkipReason();
  if (missing !== null) return missing;
  for (const program of ['podman', 'crun', 'unshare', 'tar'])
    if (!(await isInstalled(program))) return `${program} is not installed`;
  return null;
}

/**
 * Returns the command line of podman with our storage, in a mount namespace without the v2 part of hybrid cgroups,
 * which crun refuses.
 */
function podmanLine(args: readonly string[], runtime: string = 'crun'): string[] {
  const storage = join(cacheFolder(), 'containers');
  const script = 'if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi; exec podman "$@"';
  return [
    'unshare',
    '--mount',
    '--propagation',
    'slave',
    'sh',
    '-c',
    script,
    'sh',
    '--root',
    storage,
    '--runroot',
    '/run/onevisor-test-containers',
    '--runtime',
    runtime,
    ...args,
  ];
}

/** Runs podman to its end. A code other than 0 is an answer, not an error. */
export async function podman(...args: string[]): Promise<Outcome> {
  return podmanWith({}, args);
}

async function podmanWith(
  { runtime, configuration }: { readonly runtime?: string; readonly configuration?: string },
  args: readonly string[],
): Promise<Outcome> {
  const [file = '', ...rest] = podmanLine(args, runtime);
  const env = configuration === undefined ? process.env : { ...process.env, CONTAINERS_CONF: configuration };
  return run(file, rest, { maxBuffer: 1 << 28, env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Error & { code?: number | string; stdout?: string; stderr?: string }) => {
      if (typeof error.code !== 'number') throw error;
      return { code: error.code, stdout: error.stdout ?? '', stderr: error.stderr ?? '' };
    },
  );
}

/** Runs {@link podman}, and throws its output if it fails. */
async function podmanOrThrow(...args: string[]): Promise<Outcome> {
  const outcome = await podman(...args);
  if (outcome.code !== 0) throw new Error(`podman ${args.join(' ')} ended with ${outcome.code}:\n${outcome.stderr}`);
  return outcome;
}

const images = new Map<ImageName, Promise<string>>();

/** Returns the tag of a base image, and makes the image if the storage does not have it. */
export function image(name: ImageName): Promise<string> {
  const known = images.get(name) ?? makeImage(name);
  images.set(name, known);
  return known;
}

async function makeImage(name: ImageName): Promise<string> {
  const { tag, packages } = IMAGES[name];
  return importImage(tag, () => debianRootfs(packages));
}

/** Tag of an image of the file system that `root` makes; nothing is made when the storage has the tag. */
export async function importImage(tag: string, root: () => Promise<string>): Promise<string> {
  if ((await podman('image', 'exists', tag)).code === 0) return tag;
  await mkdir(join(cacheFolder(), 'containers'), { recursive: true });
  const [file = '', ...rest] = podmanLine(['import', '-q', '-', tag]);
  const packing = spawn('tar', ['-C', await root(), '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const importing = spawn(file, rest, { stdio: [packing.stdout, 'ignore', 'inherit'] });
  const codes = await Promise.all(
    [packing, importing].map(
      (child) => new Promise<number | null>((resolve, reject) => child.on('exit', resolve).on('error', reject)),
    ),
  );
  if (codes.some((code) => code !== 0))
    throw new Error(`cannot import ${tag}: tar and podman ended with ${codes.join(' and ')}`);
  return tag;
}

/**
 * Makes the base images of the tests, and removes leftovers of killed tests and images without a name. Call it before
 * test files run in parallel.
 */
export async function prepareContainers(): Promise<void> {
  for (const name of Object.keys(IMAGES) as ImageName[]) await image(name);
  const { stdout } = await podmanOrThrow(
    'ps',
    '--all',
    '--filter',
    `label=${OWNER}`,
    '--format',
    `{{.Names}} {{index .Labels "${OWNER}"}}`,
  );
  for (const line of stdout.split('\n').filter((text) => text !== '')) {
    const [name = '', pid = ''] = line.split(' ');
    if (!(await isPresent(`/proc/${pid}`))) await podmanOrThrow('rm', '--force', '--time', '0', name);
  }
  // Older than an hour, since another test run may be building.
  await podmanOrThrow('image', 'prune', '--force', '--filter', 'until=1h');
}

/** Starts a container for a test, which removes it at its end. */
export async function startContainer(test: TestContext, options: ContainerOptions = {}): Promise<Container> {
  const name = `onevisor-test-${randomUUID()}`;
  const tag = typeof options.image === 'object' ? options.image.tag : await image(options.image ?? 'slim');
  const mounts = options.mountExecutable === false ? [] : ['--volume', `${EXECUTABLE}:${INSIDE}:ro`];
  for (const [inside, outside] of Object.entries(options.mounts ?? {}))
    mounts.push('--volume', `${outside}:${inside}:ro`);
  const env = Object.entries(options.env ?? {}).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-test-'));
  if (options.config !== undefined) {
    await writeFile(join(folder, 'supervisord.conf'), options.config);
    await chmod(folder, 0o755);
    mounts.push('--volume', `${folder}/supervisord.conf:/etc/supervisord.conf:ro`);
  }
  const command = options.command ?? (options.image === undefined || typeof options.image === 'string' ? [INSIDE] : []);
  const [file = '', ...rest] = podmanLine([
    'run',
    '--name',
    name,
    '--cgroups=disabled',
    `--network=${options.network ?? 'host'}`,
    '--sig-proxy=false',
    ...LIMITS,
    '--label',
    `${OWNER}=${process.pid}`,
    ...mounts,
    ...env,
    ...(options.flags ?? []),
    tag,
    ...command,
  ]);
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = [new Lines(child.stdout), new Lines(child.stderr)];
  const exit = new Promise<number>((resolve, reject) => {
    child.on('close', (code, signal) =>
      code === null ? reject(new Error(`podman run was ended by ${String(signal)}`)) : resolve(code),
    );
    child.on('error', reject);
  });
  test.after(async () => {
    await podmanOrThrow('rm', '--force', '--time', '0', '--ignore', name);
    await exit;
    // crun gives the container's standard streams to its user. The /dev/null among them is that of this machine.
    await chown('/dev/null', 0, 0);
    await rm(folder, { recursive: true, force: true });
  });
  return {
    name,
    stdout,
    stderr,
    exit,
    waitForLine: (pattern, wait) =>
      Promise.any([stdout.waitFor(pattern, wait), stderr.waitFor(pattern, wait)]).catch((error: AggregateError) => {
        throw new Error(error.errors.map(String).join('\n'));
      }),
    logs: () => podmanOrThrow('logs', name),
    stop: async (seconds = 10) => void (await podmanOrThrow('stop', '--time', String(seconds), name)),
    kill: async (signal) => void (await podmanOrThrow('kill', '--signal', signal, name)),
    exec: (...inside) => podman('exec', name, ...inside),
    inspect: async () =>
      (JSON.parse((await podmanOrThrow('inspect', name)).stdout) as Array<Record<string, unknown>>)[0] ?? {},
    endedMs: async () =>
      Date.parse(
        (
          await podmanOrThrow(
            'inspect',
            '--format',
            '{{.State.FinishedAt.Format "2006-01-02T15:04:05.000Z07:00"}}',
            name,
          )
        ).stdout.trim(),
      ),
  };
}

/** Answer of an HTTP server in a container or pod. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Sends a request from inside, with the image's curl. `exec` runs a command there. */
export async function getInside(
  exec: (...command: string[]) => Promise<Outcome>,
  url: string,
  ...options: string[]
): Promise<HttpAnswer> {
  const { code, stdout, stderr } = await exec(
    'curl',
    '--silent',
    '--show-error',
    '-w',
    '\n%{http_code}',
    ...options,
    url,
  );
  if (code !== 0) throw new Error(`curl ${url} ended with ${code}: ${stderr}`);
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

/** Runs a container to its end. */
export async function runContainer(test: TestContext, options: ContainerOptions = {}): Promise<Outcome> {
  const container = await startContainer(test, options);
  const code = await container.exit;
  return { code, stdout: container.stdout.text, stderr: container.stderr.text };
}

/** Options of pods in podman: cgroups that crun makes itself, and no limits that this machine would refuse. */
const POD_CONFIGURATION =
  '[containers]\nnetns="host"\ncgroups="enabled"\ncgroupns="host"\n' +
  '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\n';

/** A running pod. */
export interface Pod {
  /** `podman logs` of one of its containers. */
  logs(container: string): Promise<Outcome>;
  /** `podman exec` in one of its containers. */
  exec(container: string, ...command: string[]): Promise<Outcome>;
}

/**
 * Plays a Kubernetes pod for a test, which removes it at its end. `spec` is the YAML below `spec:`, without
 * indentation. The volume `onevisor` has the executable.
 */
export async function playPod(test: TestContext, spec: string): Promise<Pod> {
  const indented = spec
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  return playKube(test, `apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\nspec:\n${indented}\n`);
}

/** Plays a whole file (`podman kube play`) with a Pod or a Deployment named `app`, which gets a unique name. */
export async function playKube(test: TestContext, yaml: string): Promise<Pod> {
  const name = `onevisor-test-${randomUUID()}`;
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-test-'));
  const file = join(folder, 'pod.yaml');
  await writeFile(join(folder, 'containers.conf'), POD_CONFIGURATION);
  const renamed = yaml
    // In Kubernetes this list only informs; podman would publish the port on the machine.
    .replace(/^ +ports:\n +- containerPort: \d+\n/gm, '')
    .replace(/^ {2}name: app$/gm, `  name: ${name}`)
    .replaceAll('configMap: {name: app}', `configMap: {name: ${name}}`);
  await writeFile(file, renamed);
  const inPod = (...args: string[]): Promise<Outcome> =>
    podmanWith(
      { runtime: join(import.meta.dirname, 'crun-without-limits.py'), configuration: join(folder, 'containers.conf') },
      args,
    );
  // The pod of a Deployment has a suffix.
  const pod = /^kind: Deployment$/m.test(yaml) ? `${name}-pod-0` : name;
  test.after(async () => {
    await inPod('pod', 'rm', '--force', '--ignore', '--time', '0', pod);
    await chown('/dev/null', 0, 0);
    await rm(folder, { recursive: true, force: true });
  });
  const played = await inPod('kube', 'play', '--network=none', file);
  if (played.code !== 0) throw new Error(`podman kube play ended with ${played.code}:\n${played.stderr}`);
  return {
    logs: (container) => inPod('logs', `${pod}-${container}`),
    exec: (container, ...command) => inPod('exec', `${pod}-${container}`, ...command),
  };
}

/** Builds an image from a folder with a Dockerfile and tags it. Its base images must exist. */
export async function buildImage(folder: string, tag: string, ...flags: string[]): Promise<Outcome> {
  return podmanOrThrow(
    'build',
    '--isolation=chroot',
    '--pull-never',
    '--network=host',
    ...LIMITS,
    '--tag',
    tag,
    ...flags,
    folder,
  );
}
