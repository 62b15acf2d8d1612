/**
 * The pure parts of the client: options, lines, names, columns, completion, health.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { faultName, faults, RpcFault } from '../../../src/core/faults.ts';
import { formatNamespec, parseNamespec } from '../../../src/core/namespec.ts';
import { completeLine } from '../../../src/ctl/completion.ts';
import { commands } from '../../../src/ctl/command-table.ts';
import { parseInteger } from '../../../src/ctl/commands/tail.ts';
import { parseLine } from '../../../src/ctl/dispatch.ts';
import { CtlError, formatError } from '../../../src/ctl/errors.ts';
import {
  formatChanges,
  formatClearResult,
  formatConfigs,
  formatSignalResult,
  formatStartResult,
  formatStatuses,
} from '../../../src/ctl/format.ts';
import { findProblems } from '../../../src/ctl/health.ts';
import { expandNames, findMatches, isPattern } from '../../../src/ctl/names.ts';
import { parseOptions } from '../../../src/ctl/options.ts';
import { isUrl, parseServerUrl } from '../../../src/ctl/server-url.ts';
import type { ConfigInfo } from '../../../src/ctl/supervisor-client.ts';
import { processInfo } from './fake-server.ts';

describe('names', () => {
  it('a namespec is parsed and formatted', () => {
    const cases: Array<[string, string, string | null]> = [
      ['web', 'web', 'web'],
      ['g:web', 'g', 'web'],
      ['g:*', 'g', null],
      ['g:', 'g', null],
      ['g:a:b', 'g', 'a:b'],
      ['', '', ''],
      [':', '', null],
    ];
    for (const [text, group, proc] of cases) assert.deepEqual(parseNamespec(text), { group, process: proc });
    const word = fc.string({ minLength: 1 }).filter((text) => !text.includes(':') && text !== '*');
    fc.assert(
      fc.property(word, word, (group, proc) =>
        assert.deepEqual(parseNamespec(formatNamespec(group, proc)), { group, process: proc }),
      ),
    );
  });

  it('patterns are distinguished from names and groups', () => {
    for (const pattern of ['*', 'w*', 'g:w*', '*:web', 'w?b', 'g*:*']) assert.ok(isPattern(pattern), pattern);
    for (const name of ['web', 'g:web', 'g:*', 'g:', 'all']) assert.ok(!isPattern(name), name);
  });

  it('patterns match the names that status shows, and are no regular expressions', async () => {
    const processes = [
      processInfo('web.1', 'RUNNING'),
      processInfo('webx1', 'RUNNING'),
      processInfo('g:a+', 'RUNNING'),
      processInfo('g:b', 'RUNNING'),
    ];
    const names = (pattern: string): string[] => findMatches(pattern, processes).map(({ name }) => name);
    assert.deepEqual(names('web.*'), ['web.1']);
    assert.deepEqual(names('web?1'), ['web.1', 'webx1']);
    assert.deepEqual(names('g:*'), ['a+', 'b']);
    assert.deepEqual(names('*a+'), ['a+']);
    assert.deepEqual(names('*'), ['web.1', 'webx1', 'a+', 'b']);
    assert.deepEqual(names('b*'), ['b']);
    assert.deepEqual(names('[w]*'), []);
    assert.deepEqual(await expandNames(['g:b', 'g:?', 'x*'], () => Promise.resolve(processes)), ['g:b', 'x*']);
    assert.deepEqual(await expandNames(['a', 'a', 'g:*'], () => Promise.reject(new Error('must not be asked'))), [
      'a',
      'a',
      'g:*',
    ]);
  });

  it('numbers are parsed as in Python', () => {
    for (const [text, value] of [
      ['5', 5],
      ['+5', 5],
      ['-5', -5],
      ['1_000', 1000],
      ['', null],
      ['x', null],
      ['5.0', null],
      ['_5', null],
      ['1__0', null],
    ] as const)
      assert.equal(parseInteger(text), value);
  });
});

describe('lines and options', () => {
  it('a line is a name and its arguments', () => {
    const cases: Array<[string, string, string]> = [
      ['start a b', 'start', 'a b'],
      ['  pid  ', 'pid', ''],
      ['pid-x', 'pid', '-x'],
      ['?', 'help', ''],
      ['?start', 'help', 'start'],
      ['!ls', '', '!ls'],
      ['.', '', '.'],
      ['status; x', 'status', '; x'],
    ];
    for (const [line, name, argument] of cases) assert.deepEqual(parseLine(line), { name, argument }, line);
    assert.deepEqual(parseLine('reload-program web', commands), { name: 'reload-program', argument: 'web' });
    assert.deepEqual(parseLine('reload-x web', commands), { name: 'reload', argument: '-x web' });
  });

  it('options are parsed as with getopt', () => {
    const parse = (...args: string[]): unknown => {
      const outcome = parseOptions(args);
      return outcome.ok
        ? [
            outcome.options.file,
            outcome.options.serverUrl,
            outcome.options.username,
            outcome.options.isInteractive,
            outcome.options.action.join(' '),
          ]
        : outcome.error;
    };
    assert.deepEqual(parse('-cf', '-iu', 'me', '--server=unix:///x', 'status', '-c', 'y'), [
      'f',
      'unix:///x',
      'me',
      true,
      'status -c y',
    ]);
    assert.deepEqual(parse('--', '-x'), [null, null, null, false, '-x']);
    assert.deepEqual(parse('-', 'x'), [null, null, null, false, '- x']);
    assert.equal(parse('-s', 'foo'), "invalid value for -s 'foo': value 'foo' is not a URL");
    assert.equal(parse('--h'), 'option --h not a unique prefix');
    assert.equal(parse('-ii'), "conflicting command line option '-i'");
    assert.equal(parse('-p'), 'option -p requires argument');
  });

  it('URLs', () => {
    for (const url of ['http://h', 'unix:///x', 'unix:/x', 'localhost:1', 'http:///', 'a:b'])
      assert.ok(isUrl(url), url);
    for (const url of ['', 'foo', 'http://', '127.0.0.1:1', 'x:', '1a:b', 'http://?x']) assert.ok(!isUrl(url), url);
    assert.deepEqual(parseServerUrl('http://u:p@Host:1/x'), { kind: 'http', host: 'host', port: 1 });
    assert.deepEqual(parseServerUrl('http://[::1]'), { kind: 'http', host: '::1', port: 80 });
    assert.deepEqual(parseServerUrl('unix://a b'), { kind: 'unix', path: 'a b' });
    for (const url of ['https://h', 'HTTP://h', 'http://h:port', 'ftp://h'])
      assert.throws(() => parseServerUrl(url), CtlError);
  });
});

describe('columns and results', () => {
  it('the columns of status grow with the longest name, those of avail do not', () => {
    assert.deepEqual(
      formatStatuses([processInfo('a', 'RUNNING', { description: 'd' }), processInfo('g:b', 'STARTING')]),
      [`${'a'.padEnd(33)}RUNNING   d`, `${'g:b'.padEnd(33)}STARTING  `],
    );
    const long = 'x'.repeat(40);
    assert.deepEqual(formatStatuses([processInfo('a', 'FATAL'), processInfo(long, 'FATAL')]), [
      `${'a'.padEnd(43)}FATAL     `,
      `${long}   FATAL     `,
    ]);
    assert.deepEqual(formatStatuses([]), []);
    const config: ConfigInfo = {
      name: long,
      group: long,
      inuse: false,
      autostart: false,
      groupPriority: 1,
      processPriority: 2,
      exitcodes: [0],
    };
    assert.deepEqual(formatConfigs([config, { ...config, name: 'b', group: 'g', inuse: true, autostart: true }]), [
      `${long} avail     manual    1:2`,
      `${'g:b'.padEnd(32)} in use    auto      1:2`,
    ]);
    // Characters count, not UTF-16 units.
    assert.deepEqual(formatStatuses([processInfo('\u{1f600}', 'FATAL')]), [`\u{1f600}${' '.repeat(32)}FATAL     `]);
  });

  it('changes are listed by name', () => {
    assert.deepEqual(formatChanges({ added: ['b', 'a'], changed: ['d'], removed: ['c'] }), [
      'a: available',
      'b: available',
      'c: disappeared',
      'd: changed',
    ]);
    assert.deepEqual(formatChanges({ added: [], changed: [], removed: [] }), ['No config updates to processes']);
  });

  it('every fault has a line or is an error, never a wrong text', () => {
    const result = (status: number) => ({ name: 'a', group: 'g', status, description: 'why', reason: null });
    for (const status of Object.values(faults)) {
      for (const format of [
        formatStartResult,
        formatClearResult,
        (each: ReturnType<typeof result>) => formatSignalResult(each, 'stopped'),
      ]) {
        try {
          assert.match(format(result(status)), /^g:a: (ERROR \([a-z ]+\)|started|stopped|cleared)$|^why$/);
        } catch (error) {
          assert.ok(error instanceof CtlError, String(error));
          assert.equal(error.message, `Unknown result code ${status} for g:a`);
        }
      }
    }
  });

  it('errors are shown with the names that scripts know', () => {
    assert.equal(
      formatError(RpcFault.of('SHUTDOWN_STATE')),
      "error: <class 'xmlrpc.client.Fault'>, <Fault 6: 'SHUTDOWN_STATE'>",
    );
    assert.equal(
      formatError(RpcFault.of('CANT_REREAD', "it's")),
      `error: <class 'xmlrpc.client.Fault'>, <Fault 92: "CANT_REREAD: it's">`,
    );
    assert.equal(faultName(10), 'BAD_NAME');
    assert.equal(faultName(7), null);
  });
});

describe('completion', () => {
  const processes = [
    processInfo('run', 'RUNNING'),
    processInfo('many:many_00', 'RUNNING'),
    processInfo('many:many_01', 'RUNNING'),
  ];
  const choices = async (line: string): Promise<string[]> =>
    (await completeLine(line, () => Promise.resolve(processes))).choices;
  it('offers the words of supervisorctl, and our additions', async () => {
    assert.deepEqual(await choices('ver'), ['version ']);
    assert.deepEqual(await choices('sta'), ['start ', 'status ']);
    assert.deepEqual((await choices('')).length, 34);
    assert.deepEqual(await choices('help st'), ['start ', 'status ', 'stop ']);
    assert.deepEqual(await choices('pid ru'), ['run ']);
    assert.deepEqual(await choices('tail -f ru'), ['run ']);
    assert.deepEqual(await choices('status many:'), ['many:many_00 ', 'many:* ', 'many:many_01 ']);
    assert.deepEqual(await choices('stop run:'), ['run:run ', 'run:* ']);
    assert.deepEqual(await choices('update m'), ['many ']);
    assert.deepEqual(await choices('wait run:st'), ['run:started ']);
    assert.deepEqual(await choices('reload '), []);
    assert.deepEqual(await choices('reload-program ru'), ['run ']);
    assert.deepEqual(await choices('open u'), []);
    assert.deepEqual(await choices('h'), ['health ', 'help ']);
    assert.deepEqual(await choices('update --'), ['--dry-run ', '--help ']);
  });
  it('does not ask the server if processes do not matter', async () => {
    const fail = (): Promise<never> => Promise.reject(new Error('asked'));
    for (const line of ['', 'st', 'help x', 'reload ', 'nosuch x']) await completeLine(line, fail);
    await assert.rejects(completeLine('start x', fail), /asked/);
  });
  it('every offered command exists and has help', () => {
    for (const [name, command] of commands) assert.ok(name === 'EOF' || command.help.length > 0, name);
  });
});

describe('health', () => {
  const config = (name: string, autostart: boolean): ConfigInfo => ({
    name,
    group: name,
    inuse: true,
    autostart,
    groupPriority: 1,
    processPriority: 1,
    exitcodes: [0, 2],
  });
  const configs = [config('a', true), config('m', false)];
  const cases: Array<[ReturnType<typeof processInfo>, string[], string[]]> = [
    [processInfo('a', 'RUNNING'), [], []],
    [processInfo('a', 'RUNNING', { health: 'healthy' }), [], []],
    [processInfo('a', 'RUNNING', { health: 'unhealthy' }), [], ['a: RUNNING unhealthy']],
    [processInfo('a', 'RUNNING', { health: 'starting' }), [], ['a: RUNNING starting']],
    [processInfo('a', 'STARTING'), [], ['a: STARTING']],
    [processInfo('a', 'BACKOFF', { description: 'd' }), [], ['a: BACKOFF d']],
    [processInfo('a', 'FATAL', { description: 'd' }), [], ['a: FATAL d']],
    [processInfo('a', 'UNKNOWN'), [], ['a: UNKNOWN']],
    [processInfo('a', 'EXITED', { exitstatus: 2 }), [], []],
    [processInfo('a', 'EXITED', { exitstatus: 3 }), [], ['a: EXITED exit status 3']],
    [processInfo('a', 'EXITED', { exitstatus: -1 }), [], ['a: EXITED terminated by a signal']],
    [
      processInfo('a', 'EXITED', { exitstatus: -1, struct: { exit_signal: 11 } }),
      [],
      ['a: EXITED terminated by SIGSEGV'],
    ],
    [processInfo('a', 'STOPPED', { start: 5 }), [], []],
    [processInfo('a', 'STOPPED', { start: 0, description: 'Not started' }), [], ['a: STOPPED Not started']],
    [processInfo('m', 'STOPPED', { start: 0 }), [], []],
    [processInfo('m', 'STOPPED', { start: 0 }), ['m'], ['m: STOPPED']],
    [processInfo('m', 'STOPPING'), [], []],
    [processInfo('m', 'STOPPING'), ['m'], ['m: STOPPING']],
    [processInfo('m', 'RUNNING'), ['nosuch'], ['nosuch: ERROR (no such process)']],
  ];
  for (const [info, names, expected] of cases)
    it(
      `${info.name} ${info.statename} ${JSON.stringify([info.start, info.exitstatus, info.health])} ` + names.join(' '),
      () => assert.deepEqual(findProblems([info], configs, { names, question: 'ready' }), expected),
    );
});
