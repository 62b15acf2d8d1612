/**
 * The log daemon of the machine with messages of programs and of the supervisor, compared with Supervisor if that is
 * installed; a restart of the daemon, and one that hangs.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';
import { Lines } from './lines.ts';
import { programFile, until } from './observe.ts';

const run = promisify(execFile);
const skip = (await pid1SkipReason()) ?? false;
const skipReal =
  skip ||
  (await run('supervisord', ['--version']).then(
    ({ stdout }) => (stdout.startsWith('4.') ? false : `supervisord is ${stdout.trim()}`),
    () => 'Supervisor is not installed',
  ));

/** Runs the program with a /dev of its own, in which /dev/log is a socket in the folder of the test. */
const inOwnDev = (folder: string, program: string): string => `#!/bin/sh
set -e
mkdir -p ${folder}/dev
mount -t tmpfs -o mode=0755 tmpfs ${folder}/dev
for name in null zero random urandom full tty; do
  touch ${folder}/dev/$name
  mount --bind /dev/$name ${folder}/dev/$name
done
ln -s /proc/self/fd ${folder}/dev/fd
ln -s ${folder}/log.sock ${folder}/dev/log
mount --rbind ${folder}/dev /dev
exec ${program} "$@"
`;

interface Daemon {
  readonly lines: Lines;
  readonly child: ChildProcess;
  /** The messages so far, without priority and time. */
  messages(): string[];
}

/** Starts a daemon in a folder. */
async function startDaemon(t: TestContext, folder: string): Promise<Daemon> {
  const child = spawn('python3', [programFile('log-daemon.py'), join(folder, 'log.sock')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines = new Lines(child.stdout);
  await lines.waitFor(/^listening$/);
  const read = (line: string): string =>
    line
      .replace(/^b(['"])(.*)\1$/, '$2')
      .replace(/\\n$/, '')
      .replace(/^<14>\w{3} [ \d]\d [\d:]{8} supervisord: /, '');
  return { lines, child, messages: () => lines.all.slice(1).map(read) };
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-syslog-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function launchWith(t: TestContext, folder: string, config: string, program = EXECUTABLE): Promise<Launched> {
  const executable = join(folder, 'in-own-dev');
  await writeFile(executable, inOwnDev(folder, program), { mode: 0o755 });
  return launch(t, { config, executable });
}

const ctl = (launched: Launched, ...args: string[]): ReturnType<Launched['enter']> =>
  launched.enter([EXECUTABLE, 'ctl', ...args]);

const PROGRAMS = `[supervisord]
logfile=syslog
nodaemon=true
silent=true
user=root
pidfile=%FOLDER%/supervisord.pid
childlogdir=%FOLDER%

[program:talks]
command=/bin/sh -c "echo one; echo; printf 'two\\n  three\\n'; printf '\\033[1mbold\\001\\n'; exec sleep 1000"
process_name=%(program_name)s_%(process_num)s
stdout_syslog=true

[program:complains]
command=/bin/sh -c "echo problem >&2; exec sleep 1000"
stderr_syslog=true

[program:joined]
command=/bin/sh -c "echo out; sleep 0.3; echo err >&2; exec sleep 1000"
stdout_logfile=syslog
redirect_stderr=true
`;

/**
 * Returns the messages that one supervisor sends to its log daemon for {@link PROGRAMS}: the lines of each program, and
 * its own lines about starts.
 */
async function heard(t: TestContext, program?: string): Promise<Record<string, string[]>> {
  const folder = await makeFolder(t);
  const daemon = await startDaemon(t, folder);
  await launchWith(t, folder, PROGRAMS, program);
  await daemon.lines.waitFor(/joined err/);
  await daemon.lines.waitFor(/bold/);
  await daemon.lines.waitFor(/problem/);
  await daemon.lines.waitFor(/success: /, { count: 3 });
  const messages = daemon.messages();
  const own = messages
    .filter((message) => /^\d{4}-\d\d-\d\d [\d:]{8},\d{3} [A-Z]{4} (spawned|success): /.test(message))
    .map((message) => message.slice(24).replace(/pid \d+/, 'pid N'));
  const of = (name: string): string[] => messages.filter((message) => message.startsWith(`${name} `));
  return { talks: of('talks_0'), complains: of('complains'), joined: of('joined'), own: own.toSorted() };
}

const EXPECTED = {
  talks: ['talks_0 one', 'talks_0 ', 'talks_0 two', 'talks_0   three', 'talks_0 \\x1b[1mbold\\x01'],
  complains: ['complains problem'],
  joined: ['joined out', 'joined err'],
  own: [
    ...['complains', 'joined', 'talks_0'].map((name) => `INFO spawned: '${name}' with pid N`),
    ...['complains', 'joined', 'talks_0'].map(
      (name) => `INFO success: ${name} entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)`,
    ),
  ].toSorted(),
};

test('programs and the supervisor write to the log daemon', { skip }, async (t) => {
  assert.deepEqual(await heard(t), EXPECTED);
});

test('Supervisor writes the same', { skip: skipReal }, async (t) => {
  assert.deepEqual(await heard(t, 'supervisord'), EXPECTED);
});

test('a log daemon that starts late, stops, and starts again', { skip }, async (t) => {
  const folder = await makeFolder(t);
  const launched = await launchWith(
    t,
    folder,
    `[supervisord]\n[program:says]\ncommand=/bin/sh -c "while read line; do echo $line; done"\nstdout_logfile=syslog\n`,
  );
  await launched.waitForLine(
    /ERRO cannot write syslog \(\/dev\/log\): no such file or directory \(ENOENT\); .* is dropped until .* again$/,
  );
  await launched.waitForLine(/success: says entered RUNNING/);
  // The program logs the text that it gets on standard input.
  const say = async (text: string): Promise<void> => {
    const script =
      'import sys; sys.path.insert(0, "/usr/lib/python3/dist-packages"); import xmlrpc.client, http.client, socket\n' +
      'class C(http.client.HTTPConnection):\n def connect(self):\n' +
      '  self.sock = socket.socket(socket.AF_UNIX); self.sock.connect("/run/onevisor.sock")\n' +
      'class T(xmlrpc.client.Transport):\n def make_connection(self, host): return C("localhost")\n' +
      `xmlrpc.client.ServerProxy("http://x", transport=T()).supervisor.sendProcessStdin("says", ` +
      `${JSON.stringify(`${text}\n`)})\n`;
    assert.deepEqual(await launched.enter(['python3', '-c', script]), { code: 0, stdout: '', stderr: '' });
  };
  await say('nobody hears this');
  const first = await startDaemon(t, folder);
  await say('now');
  await first.lines.waitFor(/supervisord: says now/);
  first.child.kill('SIGKILL');
  await first.lines.ended;
  const second = await startDaemon(t, folder);
  await say('to another');
  await second.lines.waitFor(/supervisord: says to another/);
  assert.deepEqual(second.messages(), ['says to another']);
});

test('a log daemon that hangs blocks neither the program nor the supervisor', { skip }, async (t) => {
  const folder = await makeFolder(t);
  const daemon = await startDaemon(t, folder);
  daemon.child.kill('SIGSTOP');
  const launched = await launchWith(
    t,
    folder,
    `[supervisord]\n[program:floods]\n` +
      `command=/bin/sh -c "if [ -e ${folder}/done ]; then seq 1 1000; echo last; else seq 1 400000; fi; echo ` +
      `done > ${folder}/done; exec sleep 1000"\nstdout_logfile=syslog\n`,
  );
  await launched.waitForLine(/ERRO cannot write syslog \(\/dev\/log\): resource temporarily unavailable \(EAGAIN\)/);
  await until('the end of the flood', async () => (await launched.enter(['test', '-e', `${folder}/done`])).code === 0);
  assert.match((await ctl(launched, 'status')).stdout, /floods +RUNNING/);
  daemon.child.kill('SIGCONT');
  // The numbers are in order: messages may be dropped, but not mixed up.
  await ctl(launched, 'restart', 'floods');
  await daemon.lines.waitFor(/floods last/);
  const numbers = daemon
    .messages()
    .slice(0, -1)
    .map((message) => Number(message.slice('floods '.length)));
  assert.ok(
    numbers.every((number, i) => number > (numbers[i - 1] ?? 0) || number === 1),
    'in order',
  );
  assert.deepEqual(
    numbers.slice(numbers.lastIndexOf(1)),
    Array.from({ length: 1000 }, (_, i) => i + 1),
  );
});
