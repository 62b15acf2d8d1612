/** Whole screens as text: sizes, long names, wide characters, many processes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { initialState } from '../../../../src/ctl/top/state.ts';
import { widthOf } from '../../../../src/ctl/top/text.ts';
import { viewOf } from '../../../../src/ctl/top/view.ts';
import { after, facts, stateOf, textOf } from './screen.ts';

const LONG_NAME = `a-program-${'with-a-long-name-'.repeat(3)}66`.padEnd(66, 'x');
const PROCESSES = [
  facts('web', { cpuPercent: 12.5, restarts: 3, uptimeMs: 65_000 }),
  facts('db', { readiness: 'healthy' }),
  facts(LONG_NAME),
  facts('郵便', { tone: 'busy', why: '再起動が多すぎます: 10 回' }),
  facts('crash', { state: 'FATAL', why: 'exit status 3, 12s ago: cannot open /etc/x' }),
  ...Array.from({ length: 295 }, (_, at) => facts(`worker:w${at}`, { pid: 1000 + at })),
];
const SMALL = PROCESSES.slice(0, 7);
const LINES = {
  kind: 'lines',
  target: 'crash',
  lines: ['reading /etc/x', '読み込み中', '\x1b[31mcannot open\x1b[0m'].map((text) => ({
    at: new Date(2026, 0, 1, 12, 0, 5).getTime(),
    name: 'crash:crash',
    stream: text.startsWith('\x1b') ? ('stderr' as const) : ('stdout' as const),
    text,
    isPartial: false,
    isRest: false,
  })),
} as const;

const screen = (lines: readonly string[]): string => `\n${lines.join('\n')}\n`;

describe('screens', () => {
  it('80 × 24, with the log of a process', () => {
    assert.equal(
      screen(textOf(after(stateOf(SMALL), 'j', 'enter', LINES))),
      `
onevisor top  7 processes: 6 running, 1 fatal
  NAME↓                     STATE     READY       CPU      MEM  WHY
● a-program-wi…-name-66xxx  RUNNING              0.5%    12 MB
✗ crash                     FATAL                               exit status 3, …
● db                        RUNNING   healthy    0.5%    12 MB
● web                       RUNNING             12.5%    12 MB
● ▾ worker                  2/2                  1.0%    24 MB
●   w0                      RUNNING              0.5%    12 MB
●   w1                      RUNNING              0.5%    12 MB
◐ 郵便                      RUNNING              0.5%    12 MB  再起動が多すぎ…
── log of crash ─ following ────────────────────────────────────────────────────
12:00:05.000 | reading /etc/x
12:00:05.000 | 読み込み中
12:00:05.000 ! cannot open









? help  Tab table/pane  Esc back  / filter  Space hold  f full  t times  w wrap
`,
    );
  });

  it('40 × 10, after a resize, with a question', () => {
    const state = after(stateOf(PROCESSES), 'G', { kind: 'resize', size: { columns: 40, rows: 10 } }, 's');
    assert.equal(
      screen(textOf(state)),
      `
onevisor top  300 processes: 299 runnin…
  NAME↓                     STATE
●   w290                    RUNNING
●   w291                    RUNNING
●   w292                    RUNNING
●   w293                    RUNNING
●   w294                    RUNNING
◐ 郵便                      RUNNING
Stop 郵便? [Cancel]  Stop
← → choose  Enter do it  Esc cancel
`,
    );
  });

  it('200 × 50, with 300 processes: the first lines, left and right', () => {
    const lines = textOf(stateOf(PROCESSES, 200, 50)).slice(0, 9);
    assert.equal(
      screen(lines.map((line) => line.slice(0, 100).trimEnd())),
      `
onevisor top  300 processes: 299 running, 1 fatal
  NAME↓                                                               STATE     READY    RESTARTS
● a-program-with-a-long-name-with-a-long-name-with-a-long-name-66xxx  RUNNING                   0
✗ crash                                                               FATAL                     0
● db                                                                  RUNNING   healthy         0
● web                                                                 RUNNING                   3
● ▾ worker                                                            295/295                   0
●   w0                                                                RUNNING                   0
●   w1                                                                RUNNING                   0
`,
    );
    assert.equal(
      screen(lines.map((line) => line.slice(100))),
      `

UPTIME     CPU      MEM     PID  WHY
 1h 2m    0.5%    12 MB     100
                                 exit status 3, 12s ago: cannot open /etc/x
 1h 2m    0.5%    12 MB     100
 1m 5s   12.5%    12 MB     100
        147.5%   3.5 GB
 1h 2m    0.5%    12 MB    1000
 1h 2m    0.5%    12 MB    1001
`,
    );
  });

  it('without UTF-8, and without a connection', () => {
    const state = after(stateOf(SMALL.slice(0, 2), 60, 8), {
      kind: 'loss',
      loss: { sinceMs: new Date(2026, 0, 1, 12, 0, 5).getTime(), reason: 'there is no such socket' },
    });
    assert.equal(
      screen(textOf(state, false)),
      `
disconnected since 12:00:05, trying again: there is no such~
  NAMEv     STATE     READY     UPTIME     CPU      MEM
* db        RUNNING   healthy    1h 2m    0.5%    12 MB
* web       RUNNING              1m 5s   12.5%    12 MB



? help  q quit  / filter  Enter log  d describe  r restart
`,
    );
  });

  it('no line is wider than the terminal, and none is missing, in any size', () => {
    const states = [
      [],
      ['enter'],
      ['d'],
      ['?'],
      ['s'],
      ['x'],
      ['/'],
      ['G', 'left', 'r'],
      ['enter', 'f', 'w'],
      [':'],
      ['enter', ':', 'w'],
    ];
    for (const columns of [1, 2, 7, 20, 40, 79, 80, 132, 200])
      for (const rows of [1, 2, 3, 5, 8, 15, 16, 24, 50])
        for (const keys of states) {
          const state = after(stateOf(PROCESSES, columns, rows), ...keys, LINES);
          const lines = viewOf(state, { hasColour: true, hasUnicode: true });
          assert.equal(lines.length, rows);
          for (const line of lines)
            assert.ok(widthOf(line) <= columns, `${columns} × ${rows}, ${keys.join()}: ${line}`);
        }
  });

  it('uses only the 16 colours of the terminal, and none with NO_COLOR', () => {
    const lines = viewOf(after(stateOf(SMALL), 'enter'), { hasColour: true, hasUnicode: true }).join('\n');
    const codes = [...lines.matchAll(/\x1b\[([\d;]*)m/g)].map(([, code]) => code);
    assert.deepEqual(new Set(codes), new Set(['0', '1', '24', '31', '32', '33', '4', '90']));
    const plain = viewOf(stateOf(SMALL), { hasColour: false, hasUnicode: true }).join('\n');
    assert.doesNotMatch(plain, /\x1b\[(3|9)\d/);
    assert.match(plain, /\x1b\[7m/);
  });

  it('has only ASCII characters of its own without UTF-8', () => {
    for (const keys of [['?'], ['s'], [':'], ['enter'], ['C'], ['j', 'j', 'j', 'j', 'z']])
      for (const line of textOf(after(stateOf(SMALL.toSpliced(3, 1)), ...keys), false)) assert.match(line, /^[ -~]*$/);
  });

  it('says what the empty table means, and shows paused and read-only', () => {
    assert.match(textOf(stateOf([])).join('\n'), /no processes/);
    assert.match(textOf(after(stateOf(SMALL), '/', 'z', 'z')).join('\n'), /no process has "zz"; Esc shows all/);
    const readOnly = after(
      initialState({ columns: 80, rows: 24 }, true),
      { kind: 'processes', processes: SMALL },
      'space',
    );
    assert.match(textOf(readOnly)[0] ?? '', /read-only {2}PAUSED/);
    assert.doesNotMatch(textOf(readOnly).at(-1) ?? '', /stop/);
  });
});
