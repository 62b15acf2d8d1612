/** The words behind a command of `onevisor`: options of the connection anywhere, and no unknown options. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrangeWords, findUnknownOption } from '../../../src/ctl/own-words.ts';
import { runForPerson, serve, start } from './fake-server.ts';

const lines: ReadonlyArray<[given: string, args: string]> = [
  ['status', 'status'],
  ['status web', 'status web'],
  ['status -s unix:///x web', '-s unix:///x status web'],
  ['status --problems -s unix:///x web', '-s unix:///x status --problems web'],
  ['status web -cFILE --username=me', '-cFILE --username=me status web'],
  ['tail --serverurl=unix:///x -u me -f web', '--serverurl=unix:///x -u me tail -f web'],
  ['tail -100 web -p pw', '-p pw tail -100 web'],
  ['status --watch=2 -c FILE', '-c FILE status --watch=2'],
  ['status --watch -c FILE', '-c FILE status --watch'],
  ['start --timeout 3 web -c FILE', '-c FILE start --timeout 3 web'],
  ['logs --grep -c -ft -n5 -c FILE', '-c FILE logs --grep -c -ft -n5'],
  ['run web -c FILE -- sh -c date --help', '-c FILE run web -- sh -c date --help'],
  ['health web --wait=3 -c FILE', '-c FILE health web --wait=3'],
  ['status -', 'status -'],
];
for (const [given, args] of lines)
  test(`onevisor ${given}`, () => {
    const arranged = arrangeWords(given.split(' '));
    assert.deepEqual(arranged, { kind: 'line', args: args.split(' ') });
  });

const wrong: ReadonlyArray<[given: string, error: string]> = [
  ['restart --roling web', 'restart has no option --roling (did you mean --rolling?); see onevisor restart --help'],
  ['restart web --roling=1', 'restart has no option --roling (did you mean --rolling?); see onevisor restart --help'],
  ['wait --timout 3 web', 'wait has no option --timout (did you mean --timeout?); see onevisor wait --help'],
  ['update --dryrun', 'update has no option --dryrun (did you mean --dry-run?); see onevisor update --help'],
  ['health --flaping', 'health has no option --flaping (did you mean --flapping?); see onevisor health --help'],
  ['status -x', 'status has no option -x; see onevisor status --help'],
  ['tail -f9 web', 'tail has no option -f9; see onevisor tail --help'],
  ['status --problems=1', '--problems takes no value; see onevisor status --help'],
  ['status web -s', '-s needs a value; see onevisor status --help'],
  ['start web --timeout', '--timeout needs a value; see onevisor start --help'],
];
for (const [given, error] of wrong)
  test(`wrong: onevisor ${given}`, () => {
    assert.deepEqual(arrangeWords(given.split(' ')), { kind: 'wrong', error: `Error: ${error}` });
  });

test('a request for help is one anywhere before --', () => {
  for (const line of ['status web --help', 'restart -h', 'run web --help'])
    assert.deepEqual(arrangeWords(line.split(' ')), { kind: 'help' }, line);
});

test('in the shell, words are checked but not moved', () => {
  assert.equal(findUnknownOption('restart', ['--rolling', 'web', '--timeout', '3', '--', '-x']), null);
  assert.equal(findUnknownOption('restart', ['web', '-h']), null);
  assert.equal(findUnknownOption('command_of_a_plugin', ['-x']), null);
  assert.equal(
    findUnknownOption('status', ['-c', 'FILE']),
    'Error: -c comes before the command here: onevisor ctl -c VALUE status; see onevisor status --help',
  );
});

test('nothing is done with an unknown option; a script gets the words of Supervisor', async (t) => {
  const called: string[] = [];
  const restarted = (name: unknown): boolean => called.push(String(name)) > 0;
  const server = await serve({ getAllProcessInfo: () => [], startProcess: restarted, stopProcess: restarted });
  t.after(() => server.close());
  const { stdout, code } = await runForPerson(server, 'restart --roling web');
  assert.match(stdout, /^Error: restart has no option --roling /);
  assert.deepEqual([code, called], [2, []]);
  const script = start(['restart', '--roling', 'web'], { cwd: server.directory });
  await script.code;
  assert.deepEqual(called, ['--roling', 'web', '--roling', 'web']);
});
