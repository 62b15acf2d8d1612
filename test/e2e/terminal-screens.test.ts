/**
 * `status`, `describe`, `why` and `logs` of the executable in a terminal of 80 × 24 and of 200 × 50: 300 programs, a
 * name of 66 characters, wide characters, no colours, no UTF-8. The unit tests have whole screens as text
 * (test/unit/ctl/screens).
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { widthOf } from '../../src/logs/columns.ts';
import { EXECUTABLE, launch } from './launch.ts';
import { needsTmux, Tmux } from './tmux.ts';

const LONG = `long${'_name'.repeat(12)}_z`;
const WIDE = '日本語サービス';
const CONFIG = `
[supervisord]
nodaemon=true
logfile=%FOLDER%/sup.log
pidfile=%FOLDER%/pid
[unix_http_server]
file=%FOLDER%/s.sock
[supervisorctl]
serverurl=unix://%FOLDER%/s.sock
[program-default]
stdout_logfile=NONE
stderr_logfile=NONE
[program:pool]
command=sleep 1000
process_name=p%(process_num)d
numprocs=300
startsecs=0
[program:${LONG}]
command=sh -c 'echo long; exec sleep 1000'
startsecs=0
[program:${WIDE}]
command=sh -c 'echo 漢字の出力; exec sleep 1000'
startsecs=0
[program:a.b]
command=sh -c 'echo "設定 is missing" >&2; exit 3'
startretries=0
priority=1000
`;

const SIZES = [
  [80, 24],
  [200, 50],
] as const;

interface Scene {
  readonly tmux: Tmux;
  /** Types a command line for the supervisor, and returns the lines of the screen when it has ended. */
  enter(line: string, before?: string): Promise<readonly string[]>;
}

async function open(t: TestContext): Promise<Scene> {
  const supervisor = await launch(t, { as: 'plain', config: CONFIG, args: ['-n'] });
  await supervisor.waitForLine(/gave up: a\.b/);
  const tmux = await Tmux.start(t, ['bash', '--norc', '--noprofile'], { PS1: '$ ', HISTFILE: '' });
  let count = 0;
  return {
    tmux,
    async enter(line, before = '') {
      count += 1;
      const [command, ...rest] = line.split(' ');
      const typed = `${EXECUTABLE} ${command} -c ${supervisor.folder}/supervisord.conf ${rest.join(' ')}`;
      // The marks differ from what is typed, and the typed line is cleared away.
      await tmux.press(`clear; ${before} ${typed}; echo "end" ${count} $?`, 'Enter');
      const screen = await tmux.sees(new RegExp(`^end ${count} \\d+$`, 'm'));
      return screen
        .slice(0, screen.search(/^end \d/m))
        .trimEnd()
        .split('\n');
    },
  };
}

/** Asserts that no line is wrapped, and that the columns of a table are below their titles. */
function assertTable(lines: readonly string[], columns: number): void {
  const [head = '', ...rows] = lines.slice(0, -1);
  const at = head.indexOf('STATE');
  assert.match(head, /^ {2}NAME +STATE /);
  for (const row of rows) {
    assert.match(row, /^[●◐✗○*~!-] /, row);
    assert.ok(widthOf(row) <= columns, row);
    const state = /  (RUNNING|FATAL)(?: |$)/.exec(row);
    assert.equal(state === null ? -1 : widthOf(row.slice(0, state.index + 2)), at, row);
  }
}

for (const [columns, rows] of SIZES)
  test(`in ${columns} × ${rows}`, needsTmux, async (t) => {
    const { tmux, enter } = await open(t);
    await tmux.resize(columns, rows);
    const some = await enter(`status --problems a.b '${LONG}' ${WIDE} 'pool:p?'`);
    assertTable(some, columns);
    assert.match(some[1] ?? '', /^✗ a\.b +FATAL .* exit 3, /);
    assert.match(
      some.find((line) => line.includes('long_')) ?? '',
      columns < 100 ? /^● long_\S+…\S+_z  / : /_name_z  /,
    );
    assert.match(some.at(-1) ?? '', /^13 processes: 12 running, 1 fatal$/);
    if (columns >= 200) assert.match(some[1] ?? '', /exit 3, .*: 設定 is missing$/);

    const all = await enter('status');
    assert.match(all.at(-1) ?? '', /^303 processes: 302 running, 1 fatal$/);
    const table = all.slice(0, -1).filter((line) => !line.startsWith('  NAME'));
    assert.ok(table.length >= rows - 4, `${table.length} lines`);
    for (const line of table) assert.match(line, /^● pool:p\d+ +RUNNING|^● (?:long_|日)/);
    assert.match(table.at(-2) ?? '', /pool:p299 /, 'p2 comes before p10');

    const described = (await enter(`describe a.b`)).join('\n');
    assert.match(described, /^✗ a\.b$/m);
    assert.match(described, /^ +State: FATAL since /m);
    assert.match(described, /^Last lines of stderr \(pid \d+\):\n {2}設定 is missing$/m);
    const wide = (await enter(`describe ${WIDE}`)).join('\n');
    assert.match(wide, /^● 日本語サービス$/m);
    assert.match(wide, /^ {2}漢字の出力$/m);

    const logs = await enter(`logs -n 30 --no-events ${LONG} ${WIDE} a.b`);
    assert.match(logs.find((line) => line.includes('漢字')) ?? '', /^日本語サービス +\| 漢字の出力$/);
    assert.match(logs.find((line) => line.includes('設定')) ?? '', /^a\.b +! 設定 is missing$/);
    assert.match(logs.find((line) => line.includes('| long')) ?? '', /^long_na\S*…\S+_z \| long$/);

    const plain = await enter(`status a.b ${WIDE}`, 'NO_COLOR=1 LC_ALL=C');
    assertTable(plain, columns);
    assert.match(plain[1] ?? '', /^! a\.b +FATAL /);
    await tmux.resize(60, 15);
    assertTable(await enter(`status --problems a.b '${LONG}' ${WIDE}`), 60);
  });
