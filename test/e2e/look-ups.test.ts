/**
 * Look-ups of our process in the system: hosts, time zones, certificate authorities. The libraries inside need no
 * modules and no /usr/share for that. Each test has an /etc of its own.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, describe, after, test } from 'node:test';
import { promisify } from 'node:util';
import { isInstalled } from '../../build/rootfs.ts';
import { launch, pid1SkipReason } from './launch.ts';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Launched } from './launch.ts';

const run = promisify(execFile);
const skip = (await pid1SkipReason()) ?? false;

/** Shell commands that make an /etc with nothing but these files. */
function ownEtc(files: Readonly<Record<string, string>>): string {
  const write = ([path, text]: [string, string]): string =>
    `mkdir -p ${dirname(path)}; cat >${path} <<'END'\n${text}\nEND`;
  return ['mount -t tmpfs tmpfs /etc', ...Object.entries(files).map(write)].join('\n');
}

test('time zones are those of ICU: the image needs none', { skip }, async (t) => {
  const launched = await launch(t, {
    prepare: 'for folder in /etc /usr/share; do mount -t tmpfs tmpfs "$folder"; done',
    env: { TZ: 'Europe/Berlin' },
    config:
      '[supervisord]\n[program:early]\ncommand=sleep 1000\ncron=30 4 * * *\nautostart=false\n' +
      '[program:a]\ncommand=sleep 1000\n',
  });
  const [, stamp = ''] = await launched.waitForLine(/^(\S+ \S+),\d+ INFO spawned: 'a'/);
  const zone = { timeZone: 'Europe/Berlin', dateStyle: 'short', timeStyle: 'medium' } as const;
  // Swedish times are written as ours.
  const berlin = new Intl.DateTimeFormat('sv', zone);
  const possible = [0, 1, 2, 3, 4, 5].map((seconds) => berlin.format(Date.now() - seconds * 1000));
  assert.ok(possible.includes(stamp), `${stamp} is not one of ${possible.join(', ')}`);
  assert.match((await launched.ctl('status', 'early')).stdout, /next run [A-Z][a-z]{2} \d\d 04:30 AM$/m);
});

describe('https checks', { skip: (await isInstalled('openssl')) ? skip : 'openssl is not installed' }, () => {
  let folder = '';
  let port = 0;
  let certificate = '';
  const server = Promise.withResolvers<ReturnType<typeof createServer>>();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onevisor-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const names = ['-subj', '/CN=app.test', '-addext', 'subjectAltName=DNS:app.test'];
    await run('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert]);
    certificate = (await readFile(cert, 'latin1')).trim();
    const made = createServer({ key: await readFile(key), cert: certificate }, (_, response) => response.end('ok'));
    await new Promise<void>((resolve) => {
      made.listen(0, '127.0.0.1', resolve);
    });
    port = (made.address() as AddressInfo).port;
    server.resolve(made);
  });
  after(async () => {
    (await server.promise).close().closeAllConnections();
    await rm(folder, { recursive: true, force: true });
  });

  const check = async (t: TestContext, files: Readonly<Record<string, string>>): Promise<Launched> =>
    launch(t, {
      prepare: ownEtc({ '/etc/hosts': '127.0.0.1 app.test', ...files }),
      config:
        `[supervisord]\n[program:app]\ncommand=sleep 1000\nhealthcheck=https://app.test:${port}/\n` +
        'healthcheck_retries=1\nhealthcheck_interval=1\n',
    });

  for (const path of [
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
    '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
    '/etc/ssl/ca-bundle.pem',
    '/etc/ssl/cert.pem',
  ])
    test(`trust the authorities of ${path}`, async (t) => {
      const launched = await check(t, { [path]: certificate });
      await launched.waitForLine(/health: app is healthy/);
    });

  test('trust those that Node carries where the image has none, and so not this server', async (t) => {
    const launched = await check(t, {});
    await launched.waitForLine(/the certificate is not accepted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
  });
});

/** Answers each question for an A record whose name it knows, and prints the question. */
const NAME_SERVER = `
const known = { 'db.corp.test': [127, 0, 0, 1], 'a.b.corp.test': [127, 0, 0, 1], 'fixed.test': [127, 9, 9, 9] };
const server = require('node:dgram').createSocket('udp4');
server.on('message', (question, { port, address }) => {
  const labels = [];
  let at = 12;
  for (; question[at] > 0; at += 1 + question[at])
    labels.push(question.toString('latin1', at + 1, at + 1 + question[at]));
  const isAddress = question[at + 2] === 1;
  const name = labels.join('.');
  if (isAddress) console.log('asked for ' + name);
  const found = known[name];
  const answer = isAddress && found !== undefined;
  const head = Buffer.from([question[0], question[1], 0x81, found === undefined ? 0x83 : 0x80]);
  const counts = Buffer.from([0, 1, 0, answer ? 1 : 0, 0, 0, 0, 0]);
  const record = answer ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...found] : [];
  server.send(Buffer.concat([head, counts, question.subarray(12, at + 5), Buffer.from(record)]), port, address);
});
server.bind(53, '127.0.0.1', () => console.log('listens'));
`;

test(
  'hosts come from /etc/hosts, then from DNS with search and ndots, whatever nsswitch.conf says',
  { skip: (await isInstalled('ip')) ? skip : 'ip is not installed' },
  async (t) => {
    const program = (name: string, host: string): string =>
      `[program:${name}]\ncommand=sleep 1000\nhealthcheck=tcp://${host}:9001\nhealthcheck_start_interval=200ms\n`;
    const launched = await launch(t, {
      // A network of its own, for port 53.
      under: ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'],
      prepare: ownEtc({
        '/etc/hosts': '127.0.0.1 fixed.test',
        '/etc/resolv.conf': 'search corp.test\nnameserver 127.0.0.1\noptions ndots:2 timeout:1',
        '/etc/nsswitch.conf': 'hosts: nis dns [!UNAVAIL=return] files\npasswd: ldap',
        '/etc/passwd': 'root:x:0:0::/:/bin/sh\nworker:x:777:777::/:/bin/sh',
      }),
      files: { 'name-server.cjs': NAME_SERVER },
      config:
        '[supervisord]\n[inet_http_server]\nport=127.0.0.1:9001\nallowed_hosts=*\n' +
        `[program:dns]\ncommand=${process.execPath} name-server.cjs\nhealthcheck=none\npriority=1\n` +
        '[program:user]\ncommand=sh -c "id -u; exec sleep 1000"\nuser=worker\n' +
        program('searched', 'db') +
        program('dotted', 'a.b') +
        program('listed', 'fixed.test'),
    });
    await launched.waitForLine(/^user +\| 777$/);
    await launched.waitForLine(/^dns +\| listens$/);
    for (const name of ['searched', 'dotted', 'listed'])
      await launched.waitForLine(new RegExp(`health: ${name} is healthy`));
    assert.match(launched.stdout.text, /asked for db\.corp\.test$/m);
    // The dots are fewer than ndots: the domain is tried first.
    assert.match(launched.stdout.text, /asked for a\.b\.corp\.test$/m);
    assert.doesNotMatch(launched.stdout.text, /asked for (?:a\.b|fixed\.test)$/m);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
  },
);
