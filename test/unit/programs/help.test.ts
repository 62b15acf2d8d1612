/** `onevisor help`: the list of topics, one page, and unknown names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandSpecs, typedCommands } from '../../../src/cli/commands.ts';
import { readManual, runHelp, runOverview, runUnknown } from '../../../src/programs/help.ts';

const MANUAL = {
  README: '# The manual\n\n| topic |  |\n| --- | --- |\n| [logs](logs.md) | Lines. |\n',
  logs: '# Logs\n\nText of the page.\n',
  'stopping-and-exit-codes': '# Stopping\n',
};

function help(args: readonly string[], columns: number | null = null): { code: number; out: string; err: string } {
  const said = { out: '', err: '' };
  const io = {
    out: (text: string) => void (said.out += text),
    err: (text: string) => void (said.err += text),
    columns,
  };
  return { code: runHelp(args, MANUAL, io), ...said };
}

test('without a topic it lists the topics, with a topic it shows the page', () => {
  assert.deepEqual(help([]), { code: 0, out: MANUAL.README, err: '' });
  assert.deepEqual(help(['page', 'logs']), { code: 0, out: MANUAL.logs, err: '' });
  assert.match(help(['logs']).out, /^Usage: onevisor logs /, 'a command comes before a page of its name');
  assert.equal(help(['LOGS.md']).out, MANUAL.logs);
});

test('on a terminal the page is formatted', () => {
  assert.equal(help(['page', 'logs'], 80).out, 'Logs\n====\n\nText of the page.\n');
});

test('an unknown topic names the nearest one', () => {
  const { code, out, err } = help(['lgos']);
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /^Error: cannot show "lgos": no such topic \(did you mean logs\?\)$/m);
  assert.match(help(['stopping']).err, /did you mean stopping-and-exit-codes\?/);
  assert.match(help(['restrat']).err, /did you mean restart\?/);
  assert.match(help(['autostrat']).err, /did you mean autostart\?/);
  assert.match(help(['xyz']).err, /no such topic\n/);
  assert.equal(help(['readme']).code, 2, 'the list is no topic');
  assert.equal(help(['__proto__']).code, 2);
});

test('two topics are an error, but a kind and a topic are not', () => {
  assert.equal(help(['a', 'b']).code, 2);
  assert.equal(help(['page', 'a', 'b']).code, 2);
  assert.equal(help(['page', 'logs']).out, MANUAL.logs);
  assert.equal(help(['page', 'restart']).code, 2);
});

test('a command has its usage, options, examples and exit codes', () => {
  const { out } = help(['restart']);
  assert.match(out, /^Usage: onevisor restart \[--rolling \| --with-dependents\] /);
  for (const part of ['--rolling  ', '--timeout TIME', '-s, --serverurl URL', "'worker:*'", '124  the time is over'])
    assert.ok(out.includes(part), part);
  assert.match(help(['quit']).out, /^Usage: onevisor ctl\n {7}supervisor> quit\n/);
  for (const { name } of commandSpecs) assert.match(help(['command', name]).out, /^Usage: onevisor /, name);
});

test('every option of the command line of the client is in its help', () => {
  for (const word of ['--json', '--watch', '--dry-run', '--rolling', '--timeout'])
    assert.ok(
      commandSpecs.some(({ name }) => help([name]).out.includes(`  ${word}`)),
      word,
    );
  assert.match(help(['stop']).out, /`\*` matches any\s+characters/);
});

test('an option has its row of the table, and its variables', () => {
  const { out } = help(['AutoRestart']);
  for (const fact of [
    /^ {2}autorestart {2}Restart after an exit/,
    /^ {2}sections +\[program-default\] \[program:x\] \[eventlistener:x\] \[fcgi-program:x\]$/m,
    /^ {2}type +true \| false \| unexpected$/m,
    /^ {2}default +unexpected$/m,
    /ONEVISOR_PROGRAM_<NAME>__AUTORESTART$/m,
  ])
    assert.match(out, fact);
  assert.match(help(['port']).out, /required/);
  assert.match(help(['nodaemon']).out, /^ {2}in a container +true$/m);
  assert.match(help(['depends_on']).out, /Supervisor does not have this option/);
  assert.equal(help(['priority']).out.match(/^ {2}priority/gm)?.length, 2, 'of programs, and of groups');
  assert.match(help(['onevisor_conf']).out, /^ {2}ONEVISOR_CONF {2}Configuration file/);
  assert.match(help(['options']).out, /--nodaemon/);
});

test('if a name has several meanings, the help names the others', () => {
  const pages = { ...MANUAL, start: '# Start\n', environment: '# Environment\n' };
  const said: string[] = [];
  const io = { out: (text: string) => void said.push(text), err: assert.fail, columns: null };
  runHelp(['start'], pages, io);
  assert.match(said[0] ?? '', /^Usage: onevisor start [^]*\nThe page of that name: onevisor help page start\n$/);
  runHelp(['environment'], pages, io);
  assert.equal(said[1], '# Environment\n\nThe option of that name: onevisor help option environment\n');
});

test('--help has each command once, and no line is wider than the terminal', () => {
  const overview = (columns: number | null): string => {
    let text = '';
    assert.equal(runOverview({ out: (more) => void (text += more), err: assert.fail, columns }), 0);
    return text;
  };
  for (const { name } of typedCommands)
    assert.equal(overview(null).match(new RegExp(`^ {2}${name} `, 'gm'))?.length, 1);
  for (const columns of [60, 80, 200])
    for (const line of overview(columns).split('\n')) assert.ok(line.length <= Math.min(columns, 100), line);
  assert.match(overview(30), /^ {2}status\n {6}Show the state of$/m, 'on a narrow terminal, a line for each part');
});

test('an unknown command names the nearest one, and the way to run a program', () => {
  let said = '';
  const io = { out: assert.fail, err: (text: string) => void (said += text) };
  assert.equal(runUnknown(['chekc', 'x'], io), 2);
  assert.match(said, /^Error: there is no command "chekc" \(did you mean check\?\)\n.*`onevisor -- chekc` runs/);
  said = '';
  assert.equal(runUnknown(['\x1b[31m'], io), 2);
  assert.match(said, /^Error: there is no command "\\u001b\[31m"\n/);
});

test('in a checkout the manual is read from its directory', () => {
  assert.match(readManual()['logs'] ?? '', /^# Logs\n/);
});
