/**
 * The documents: every code block has a kind that is checked, links are valid, pages are short, configurations cause no
 * remark, sessions have the printed output, and quoted messages exist. test/container/manual.test.ts has the tests that
 * need a container engine.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { formatProblems } from '../../src/config/effective.ts';
import { noFlags } from '../../src/config/flags.ts';
import { readConfig } from '../../src/config/read.ts';
import { openSource } from '../../src/config/source.ts';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { BLOCKS, blocksOfKind, DOCUMENTS, ROOT, withSupervisord } from './manual-blocks.ts';
import type { CodeBlock } from './manual-blocks.ts';
import type { Launched } from './launch.ts';
import type { TestContext } from 'node:test';

const run = promisify(execFile);
const skip = (await pid1SkipReason()) ?? false;
const PAGES = [...DOCUMENTS].filter(([path]) => path.startsWith('src/manual/'));
/** Programs that the examples name. */
const PROGRAMS = join(ROOT, 'test', 'container', 'manual');
/** Directory of the executable and its links. */
const DIST = join(EXECUTABLE, '..');

/** Kinds of blocks by language. `text` is output that no command of the page prints. */
const KINDS: Readonly<Record<string, ReadonlyArray<string | null>>> = {
  ini: ['example', null],
  console: ['session'],
  sh: ['run', 'file', null],
  dockerfile: ['dockerfile', null],
  yaml: ['compose', 'pod', null],
  js: ['file'],
  python: ['file'],
  text: [null],
};

test('each code block names its kind of check', () => {
  assert.ok(BLOCKS.length > 40);
  for (const { at, language, kind } of BLOCKS)
    assert.ok(
      KINDS[language]?.includes(kind),
      `${at}: a block of "${language}" cannot be checked as "${String(kind)}"`,
    );
});

test('the front page and the pages of the manual are short', () => {
  const front = Buffer.byteLength(DOCUMENTS.get('README.md') ?? '');
  assert.ok(front <= 12_288, `README.md has ${front} bytes, at most 12 kB`);
  for (const [path, text] of PAGES) {
    const lines = text.split('\n').length;
    // The reference is a table of every option.
    assert.ok(lines <= 250 || path.endsWith('/reference.md'), `${path} has ${lines} lines, at most 250`);
  }
});

test('the list of topics has each page once, with the words of its title', () => {
  const index = DOCUMENTS.get('src/manual/README.md') ?? '';
  const listed = [...index.matchAll(/^\| \[([\w-]+)\]\(([\w-]+)\.md\) \|/gm)].map(([, name = '', file]) => {
    assert.equal(name, file);
    return name;
  });
  const pages = PAGES.map(([path]) => path.slice('src/manual/'.length, -'.md'.length)).filter(
    (name) => name !== 'README',
  );
  assert.deepEqual(listed.toSorted(), pages.toSorted());
});

test('links lead to pages and headings that exist', () => {
  for (const [path, text] of DOCUMENTS) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const full = join(ROOT, path, '..', file);
      const there = file === '' ? text : readFileSync(full, 'utf8');
      if (anchor === undefined) continue;
      const anchors = [...there.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      assert.ok(anchors.includes(anchor), `${path}: ${target} leads to no heading`);
    }
  }
});

test('configurations cause no remark', () => {
  // Directories and users of an image do not exist on this machine.
  const settings = { isContainer: true, isStatic: true, flags: noFlags, executable: '/usr/local/bin/onevisor' };
  const path = '/etc/supervisord.conf';
  const env = { ONEVISOR_CONF: path, NAME: 'x', CONTROL_PASSWORD: 'x' };
  for (const { at, text } of BLOCKS.filter(({ language }) => language === 'ini')) {
    const source = openSource(env, null, { path, bytes: Buffer.from(withSupervisord(text)) });
    assert.equal(formatProblems(readConfig(source, settings)), '', at);
  }
});

test('shell commands can be parsed, and our commands exist', async () => {
  for (const { at, text } of BLOCKS.filter(({ language }) => language === 'sh')) {
    await run('sh', ['-n', '-c', text]).catch((error: Error) => assert.fail(`${at}: ${error.message}`));
    for (const [, name = ''] of text.matchAll(/\b(?:supervisorctl|onevisor ctl) (\w+)/g)) {
      const { stdout } = await run(EXECUTABLE, ['ctl', '-s', 'unix:///nowhere', 'help', name], { env: {} });
      assert.doesNotMatch(stdout, /No help on/, `${at}: supervisorctl ${name}`);
    }
  }
});

test('YAML is valid, with keys of Compose and Kubernetes', () => {
  for (const { at, text, kind } of BLOCKS.filter(({ language }) => language === 'yaml')) {
    const documents = parseAllDocuments(text, { uniqueKeys: true });
    assert.ok(Array.isArray(documents) && documents.length > 0, at);
    for (const document of documents) {
      assert.deepEqual([...document.errors, ...document.warnings], [], at);
      const value = document.toJS() as Record<string, unknown>;
      if (kind === 'pod') assert.ok(typeof value['apiVersion'] === 'string' && typeof value['kind'] === 'string', at);
      if (kind === 'compose') {
        const others = Object.keys(value).filter((name) => name !== 'volumes');
        assert.deepEqual(others, ['services'], at);
      }
    }
  }
});

test('messages that the troubleshooting page quotes exist in the code', () => {
  const code = globSync('src/**/*.ts', { cwd: ROOT })
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .join('\n')
    .replaceAll("\\'", "'")
    // The code has long messages in several literals.
    .replace(/['`] \+\n\s*['`]/g, '');
  const page = DOCUMENTS.get('src/manual/troubleshooting.md') ?? '';
  const messages = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, message = '']) => message);
  assert.ok(messages.length > 20);
  for (const message of messages)
    for (const part of message.split('…').map((text) => text.replace(/^['" ]+|['" ]+$/g, '')))
      assert.ok(part.length < 4 || code.includes(part), `troubleshooting.md: no message has "${part}"`);
});

/** Converts an output to a pattern: `…` stands for any text within a line, and alone on a line for any lines. */
function asPattern(output: string): RegExp {
  const escaped = output
    .replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
    .replace(/^…$/gm, '[^]*')
    .replaceAll('…', '.*');
  return new RegExp(`^${escaped}$`);
}

async function checkSession(launched: Launched, block: CodeBlock): Promise<void> {
  let last = 0;
  for (const [, command = '', output = ''] of block.text.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
    // `$?` belongs to the previous command, which ran in a shell of its own.
    const path = `PATH="${DIST}:${PROGRAMS}:$PATH"`;
    const { code, stdout, stderr } = await launched.enter([
      'sh',
      '-c',
      `${path}; set_code() { return ${last}; }; set_code; ${command}`,
    ]);
    last = code;
    assert.match(`${stdout}${stderr}`.trimEnd(), asPattern(output.trimEnd()), `${block.at}: ${command}`);
  }
}

/** The supervisor of each session. */
const SESSIONS: Readonly<Record<string, (t: TestContext) => Promise<Launched>>> = {
  api: async (t) => {
    const launched = await launch(t, {
      config:
        '[supervisord]\n[unix_http_server]\nfile=/run/supervisor.sock\n[program:web]\ncommand=sleep 1000\n' +
        '[program:worker]\ncommand=sh -c "echo ready; exec sleep 1000"\n' +
        'process_name=%(program_name)s_%(process_num)d\nnumprocs=2\n',
    });
    await launched.waitForLine(/success: \S+ entered RUNNING/, { count: 3 });
    return launched;
  },
  check: (t) =>
    launch(t, {
      config: '[supervisord]\n',
      files: {
        'typing-mistake.conf':
          '[supervisord]\n[program:web]\nautorestrat=true\nstopsignal=TREM\ncommand=web\nstartsecs=0.5\n',
      },
    }),
  strict: (t) =>
    launch(t, {
      config: '[supervisord]\n',
      files: {
        'strict.conf':
          '[program:web]\nstdout_logfile=/tmp/app.log\ncommand=web\n' +
          '[program:api]\nstdout_logfile=/tmp/app.log\ncommand=api\n[program:worker]\ncommand=wroker\n[supervisord]\n',
      },
    }),
  control: async (t) => {
    const launched = await launch(t, {
      env: { PATH: `${PROGRAMS}:${process.env['PATH']}`, WORKER: 'stay' },
      config:
        '[supervisord]\n[program:web]\ncommand=web\n' +
        '[program:worker]\ncommand=worker\nprocess_name=%(program_name)s_%(process_num)d\nnumprocs=2\n',
    });
    await launched.waitForLine(/success: \S+ entered RUNNING/, { count: 3 });
    return launched;
  },
};

test('each session of the manual is tested here', () => {
  assert.deepEqual([...blocksOfKind('session').keys()].toSorted(), Object.keys(SESSIONS).toSorted());
});

for (const [name, start] of Object.entries(SESSIONS)) {
  test(`session: ${name}`, { skip }, async (t) => {
    const block = blocksOfKind('session').get(name);
    assert.ok(block !== undefined);
    await checkSession(await start(t), block);
  });
}

test('modules of the manual add the documented method and command', { skip }, async (t) => {
  const files = blocksOfKind('file');
  const launched = await launch(t, {
    env: { PATH: `${PROGRAMS}:${process.env['PATH']}` },
    config: withSupervisord(blocksOfKind('example').get('plugins')?.text ?? ''),
    files: Object.fromEntries(['team.mjs', 'commands.mjs'].map((name) => [name, files.get(name)?.text ?? ''])),
  });
  await launched.waitForLine(/ready$/);
  await launched.waitForLine(/success: web entered RUNNING/);
  const config = join(launched.folder, 'supervisord.conf');
  assert.equal((await launched.ctl('-c', config, 'greet', 'web')).stdout, 'good day, web is RUNNING\n');
  assert.match((await launched.ctl('-c', config, 'greet')).stdout, /greet whom\?/);
});

test('the listener of the manual gets the event of a program that fails', { skip }, async (t) => {
  const launched = await launch(t, {
    env: { PATH: `%FOLDER%:${PROGRAMS}:${process.env['PATH']}` },
    config: withSupervisord(blocksOfKind('example').get('listener')?.text ?? '').replace(
      'command=alarm',
      'command=%FOLDER%/alarm',
    ),
    files: { alarm: blocksOfKind('file').get('alarm')?.text ?? '' },
  });
  await launched.waitForLine(/alarm\b.*PROCESS_STATE_FATAL processname:worker/);
  launched.signal('SIGTERM');
  assert.equal((await launched.exit).code, 0);
});

/** Variables of a container in a file for Compose or Kubernetes. Secrets get a value. */
function variablesOf(value: unknown): Record<string, string> {
  if (!Array.isArray(value)) return value as Record<string, string>;
  const list = value as ReadonlyArray<{ readonly name: string; readonly value?: string }>;
  return Object.fromEntries(list.map(({ name, value: text }) => [name, text ?? 'secret']));
}

/** Returns the values of a member with this name, anywhere in a document. */
function membersNamed(name: string, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    ...(key === name ? [member] : []),
    ...membersNamed(name, member),
  ]);
}

test('the files for several containers are accepted without a remark', async () => {
  const [compose, pods] = ['compose', 'pod'].map((kind) => blocksOfKind(kind).get('several-containers'));
  assert.ok(compose !== undefined && pods !== undefined);
  const containers = [
    ...parseAllDocuments(compose.text).flatMap((one) => membersNamed('environment', one.toJS())),
    ...parseAllDocuments(pods.text).flatMap((one) => membersNamed('env', one.toJS())),
  ].map(variablesOf);
  assert.equal(containers.length, 5);
  assert.equal(containers.filter((variables) => 'ONEVISOR_DASHBOARD__PEERS' in variables).length, 2);
  for (const variables of containers) {
    const env = { PATH: `${PROGRAMS}:${process.env['PATH']}`, HOME: '/root', ONEVISOR_CONF: '', ...variables };
    const { stdout, stderr } = await run(EXECUTABLE, ['check'], { env });
    assert.equal(stderr, '');
    assert.doesNotMatch(stdout, /secret|HUB_PASSWORD/);
  }
});
