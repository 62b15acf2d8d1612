/** The core of the full-screen view: keys and facts change the state, and ask for effects. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_LINES, type LogLine } from '../../../../src/ctl/top/log-buffer.ts';
import { initialState, type Effect, type TopState } from '../../../../src/ctl/top/state.ts';
import { update } from '../../../../src/ctl/top/update.ts';
import { after, facts, stateOf, textOf } from './screen.ts';

const PROCESSES = [
  facts('web', { cpuPercent: 3, restarts: 2, uptimeMs: 5000 }),
  facts('db', { memory: 1 }),
  ...['10', '9', '1'].map((number) => facts(`worker:w${number}`)),
  facts('crash', { state: 'FATAL', why: 'exit status 3' }),
];
const STATE = stateOf(PROCESSES);

/** Returns the effects of a key. */
const effectsOf = (state: TopState, name: string): readonly Effect[] => update(state, { kind: 'key', name }).effects;
const press = (...keys: readonly string[]): TopState => after(STATE, ...keys);
/** The names in the table, without symbols. */
const namesOf = (state: TopState): string[] =>
  textOf(state)
    .slice(2, -2)
    .flatMap((line) => /^. ([▾▸ ]*\S+)/.exec(line)?.[1] ?? []);
const chosen = (state: TopState): string | null => state.chosen;

const line = (text: string, more: Partial<LogLine> = {}): LogLine => ({
  at: 0,
  name: 'web:web',
  stream: 'stdout',
  text,
  isPartial: false,
  isRest: false,
  ...more,
});
const lines = (...texts: readonly string[]) =>
  ({ kind: 'lines', target: 'web', lines: texts.map((text) => line(text)) }) as const;
/** The log of web, with a pane of 12 lines. */
const LOG = after(
  STATE,
  '/',
  'w',
  'e',
  'b',
  'enter',
  'enter',
  lines(...Array.from({ length: 100 }, (_, at) => `line ${at}`)),
);
const logOf = (state: TopState): string[] => {
  const text = textOf(state);
  const start = text.findIndex((shown) => shown.includes('log of'));
  return text.slice(start, -2);
};

describe('the table', () => {
  it('sorts names as people count, and shows groups with their processes', () => {
    assert.deepEqual(namesOf(STATE), ['crash', 'db', 'web', '▾ worker', '  w1', '  w9', '  w10']);
  });

  it('moves, and keeps the chosen process when others appear or disappear', () => {
    assert.equal(chosen(STATE), 'p crash:crash');
    assert.equal(chosen(press('j', 'down', 'k')), 'p db:db');
    assert.equal(chosen(press('G')), 'p worker:w10');
    assert.equal(chosen(press('G', 'g')), 'p crash:crash');
    assert.equal(chosen(press('ctrl-d', 'ctrl-d', 'ctrl-u', 'ctrl-u')), 'p crash:crash');
    const more = after(press('j'), { kind: 'processes', processes: [facts('aaa'), ...PROCESSES] });
    assert.equal(chosen(more), 'p db:db');
    const less = after(press('j'), { kind: 'processes', processes: PROCESSES.filter(({ name }) => name !== 'db') });
    assert.equal(chosen(less), 'p web:web');
    assert.equal(chosen(after(STATE, { kind: 'processes', processes: [] }, 'j', 'enter', 'd', 's')), null);
  });

  it('sorts by the column of a letter, and the other way at the second time', () => {
    assert.deepEqual(namesOf(press('C')).slice(0, 2), ['web', 'db']);
    assert.equal(namesOf(press('C', 'C'))[0], 'crash');
    assert.equal(namesOf(press('T'))[0], 'crash');
    assert.equal(namesOf(press('U'))[0], 'web');
    assert.equal(namesOf(press('W'))[0], 'crash');
    assert.equal(namesOf(press('M')).at(-1), 'crash');
    assert.deepEqual(press('Y').sort, { column: 'READY', isReversed: false });
  });

  it('filters while the text is typed, by name, state and reason', () => {
    assert.deepEqual(namesOf(press('/', 'W', '1')), ['▾ worker', '  w1', '  w10']);
    assert.deepEqual(namesOf(press('/', 'f', 'a', 't', 'a', 'l')), ['crash']);
    assert.deepEqual(namesOf(press('/', 's', 't', 'a', 't', 'u', 's', 'space', '3', 'enter')), ['crash']);
    assert.equal(press('/', 'x', 'y', 'backspace', 'enter').filter, 'x');
    assert.equal(press('/', 'x', 'escape').filter, '');
    assert.equal(press('/', 'x', 'enter', 'escape').filter, '');
    assert.equal(press('/', 'x', 'y', 'ctrl-u', 'page-up').filter, '');
  });

  it('pastes into the prompt only', () => {
    const paste = { kind: 'paste', text: 'web\nsq' } as const;
    assert.equal(after(press('/'), paste).filter, 'web');
    assert.deepEqual(after(STATE, paste), STATE);
  });

  it('folds a group, all groups, and chooses the row of the group', () => {
    const folded = press('G', 'left');
    assert.deepEqual(namesOf(folded), ['crash', 'db', 'web', '▸ worker']);
    assert.equal(chosen(folded), 'g worker');
    assert.equal(namesOf(after(folded, 'right')).length, 7);
    assert.equal(chosen(press('G', 'z')), 'g worker');
    assert.equal(namesOf(press('z', 'z')).length, 7);
    assert.deepEqual(press('left').folded, new Set());
  });

  it('pauses, copies, asks for drawing, suspends and quits', () => {
    assert.equal(press('space').isPaused, true);
    assert.deepEqual(effectsOf(STATE, 'y'), [{ kind: 'copy', text: 'crash' }]);
    assert.deepEqual(effectsOf(STATE, 'ctrl-l'), [{ kind: 'redraw' }]);
    assert.deepEqual(effectsOf(STATE, 'ctrl-z'), [{ kind: 'suspend' }]);
    assert.deepEqual(effectsOf(STATE, 'q'), [{ kind: 'quit' }]);
    assert.deepEqual(effectsOf(press('?'), 'ctrl-c'), [{ kind: 'quit' }]);
  });

  it('shows the keys, and goes back with any key', () => {
    assert.equal(press('?', 'j').overlay?.kind, 'help');
    assert.equal(press('?', 'q').overlay, null);
    const small = after(stateOf(PROCESSES, 80, 10), '?', 'G');
    assert.match(textOf(small).at(-2) ?? '', /^Leave/);
  });
});

describe('actions', () => {
  const target = { name: 'crash', request: 'crash:crash', ids: ['crash:crash'] };

  it('starts at once', () => {
    assert.deepEqual(effectsOf(STATE, 'S'), [{ kind: 'act', action: { kind: 'start', target } }]);
  });

  it('asks before a stop, names the target, and begins on Cancel', () => {
    const asked = press('s');
    assert.match(textOf(asked).join('\n'), /^Stop crash\? \[Cancel\] {2}Stop$/m);
    assert.deepEqual(effectsOf(asked, 'enter'), []);
    assert.deepEqual(effectsOf(after(asked, 'right'), 'enter'), [{ kind: 'act', action: { kind: 'stop', target } }]);
    assert.deepEqual(effectsOf(after(asked, 'right', 'left'), 'enter'), []);
    for (const key of ['escape', 'q', 'ctrl-c']) assert.equal(after(asked, key).overlay, null);
    assert.equal(after(asked, 's', 'y', 'S').overlay?.kind, 'menu');
  });

  it('offers to kill what is stopping', () => {
    const stopping = stateOf([facts('web', { state: 'STOPPING' })]);
    assert.match(textOf(after(stopping, 's')).join('\n'), /^web is stopping\. Kill it\? \[Cancel\] {2}Kill$/m);
  });

  it('restarts a group at once or one after the other, also the processes that the filter hides', () => {
    const group = press('/', 'w', '1', 'enter', 'g', 'r', 'tab', 'tab');
    assert.match(
      textOf(group).join('\n'),
      /worker:\* \(3 processes\)\?  Cancel   All at once  \[One after the other\]/,
    );
    assert.deepEqual(effectsOf(group, 'enter'), [
      {
        kind: 'act',
        action: {
          kind: 'rolling',
          target: { name: 'worker:*', request: 'worker:*', ids: ['worker:w10', 'worker:w9', 'worker:w1'] },
        },
      },
    ]);
  });

  it('sends a signal that was chosen', () => {
    assert.deepEqual(effectsOf(press('x', 'right'), 'enter'), [
      { kind: 'act', action: { kind: 'signal', signal: 'HUP', target } },
    ]);
  });

  it('refuses actions when read-only, without a connection, or without a process', () => {
    const readOnly = after(initialState({ columns: 80, rows: 24 }, true), { kind: 'processes', processes: PROCESSES });
    assert.match(after(readOnly, 's').message?.text ?? '', /--read-only/);
    assert.deepEqual(effectsOf(readOnly, 'S'), []);
    const lost = after(STATE, { kind: 'loss', loss: { sinceMs: 0, reason: 'no socket' } });
    assert.match(after(lost, 'r').message?.text ?? '', /not connected/);
    assert.match(after(stateOf([]), 'x').message?.text ?? '', /no process/);
  });

  it('shows a message until the next key', () => {
    const shown = after(STATE, { kind: 'message', message: { text: 'crash: start requested', tone: 'good' } });
    assert.match(textOf(shown).join('\n'), /^crash: start requested$/m);
    assert.equal(after(shown, 'j').message, null);
  });
});

describe('the log', () => {
  it('shows the newest line, and follows', () => {
    assert.match(logOf(LOG)[0] ?? '', /log of web ─ following/);
    assert.match(logOf(LOG).at(-1) ?? '', /line 99$/);
    assert.match(logOf(after(LOG, lines('new'))).at(-1) ?? '', /new$/);
  });

  it('stays where the reader is, and counts newer lines', () => {
    const held = after(LOG, 'k', 'k', lines('new'));
    assert.match(logOf(held).at(-1) ?? '', /line 97$/);
    assert.match(logOf(held)[0] ?? '', /3 newer lines, G follows/);
    assert.match(logOf(after(held, 'G')).at(-1) ?? '', /new$/);
    assert.match(logOf(after(LOG, 'space', lines('new'))).at(-1) ?? '', /line 99$/);
    assert.match(logOf(after(LOG, 'space', lines('new'), 'space')).at(-1) ?? '', /new$/);
  });

  it('goes to the first line with a full page, and back', () => {
    const first = after(LOG, 'g');
    assert.match(logOf(first)[1] ?? '', /line 0$/);
    assert.match(logOf(after(first, 'k', 'j'))[1] ?? '', /line 1$/);
    assert.match(logOf(after(first, 'page-down', 'page-up'))[1] ?? '', /line 0$/);
  });

  it('shows only lines with a text, and undoes it with Esc', () => {
    const filtered = after(LOG, '/', 'space', '9', 'enter');
    assert.equal(logOf(filtered).filter((shown) => /line 9/.test(shown)).length, 11);
    assert.match(logOf(filtered)[0] ?? '', /only " 9"/);
    assert.match(logOf(after(LOG, '/', 'x', 'x'))[1] ?? '', /no line has "xx"/);
    const undone = after(filtered, 'escape');
    assert.equal(undone.pane?.kind === 'logs' && undone.pane.filter, '');
    assert.equal(after(undone, 'escape').pane, null);
  });

  it('switches times, wrapping and the full screen', () => {
    assert.doesNotMatch(logOf(after(LOG, 't')).at(-1) ?? '', /:/);
    const long = after(LOG, lines('x'.repeat(100)));
    assert.match(logOf(long).at(-1) ?? '', /x…$/);
    assert.match(logOf(after(long, 'w')).at(-1) ?? '', /^ {15}x+$/);
    assert.equal(logOf(after(LOG, 'f')).length, 21);
    assert.equal(after(LOG, 'f', 'escape').isPaneFull, false);
  });

  it('copies the lines on the screen', () => {
    assert.deepEqual(effectsOf(after(LOG, 'f', 'g'), 'y'), [
      { kind: 'copy', text: Array.from({ length: 20 }, (_, at) => `line ${at}\n`).join('') },
    ]);
  });

  it('keeps a number of lines, and joins the rest of a line', () => {
    const flooded = after(LOG, lines(...Array.from({ length: MAX_LINES }, (_, at) => `flood ${at}`)));
    assert.equal(flooded.pane?.kind === 'logs' && flooded.pane.buffer.lines.length, MAX_LINES);
    assert.match(logOf(after(flooded, 'g'))[1] ?? '', /flood 0$/);
    const part = { kind: 'lines', target: 'web', lines: [line('pass', { isPartial: true })] } as const;
    const rest = {
      kind: 'lines',
      target: 'web',
      lines: [line('word', { isRest: true }), line('b', { isRest: true })],
    } as const;
    assert.match(
      logOf(after(LOG, part, rest))
        .slice(-2)
        .join('|'),
      /password\|.*\| b$/,
    );
  });

  it('follows the choice in the table, and ignores lines of another log', () => {
    const other = after(LOG, 'tab', '/', 'ctrl-u', 'enter', 'g');
    assert.equal(other.pane?.target.name, 'crash');
    assert.equal(after(other, lines('x')), other);
    assert.match(logOf(after(STATE, 'enter')).at(1) ?? '', /^$/);
  });

  it('names the processes of a group, and marks stderr and notices', () => {
    const group = after(STATE, '/', 'w', '1', 'enter', 'g', 'enter', {
      kind: 'lines',
      target: 'worker:*',
      lines: [
        line('a', { name: 'worker:w1' }),
        line('b', { name: 'worker:w10', stream: 'stderr' }),
        line('c', { stream: 'notice', name: 'worker:w1' }),
      ],
    });
    const shown = logOf(group).map((text) => text.replace(/^[\d:.]{12} /, ''));
    assert.deepEqual(shown.slice(1, 4), ['w1  | a', 'w10 ! b', 'w1  * c']);
  });
});

describe('the keys of a log', () => {
  const read = (state: TopState): string => {
    const { pane } = state;
    return pane?.kind === 'logs' ? `${pane.range.word} ${pane.reading} ${pane.isLoaded}` : '';
  };

  it('choose a part of time, and read it again each time', () => {
    assert.equal(read(LOG), 'tail 0 true');
    const words = ['0', '1', '2', '3', '4', '5', '6'].map((key) => read(after(LOG, key)));
    assert.deepEqual(
      words,
      ['tail', 'head', '1m', '5m', '15m', '30m', '1h'].map((word) => `${word} 1 false`),
    );
    assert.equal(read(after(LOG, '3', '3')), '5m 2 false');
    assert.equal(read(after(LOG, '7')), 'tail 0 true');
    assert.match(logOf(after(LOG, '6'))[0] ?? '', /log of web ─ last 1h ─ reading/);
    // The next process is shown in the same part.
    assert.equal(read(after(STATE, 'enter', '4', 'tab', 'j')), '15m 1 false');
  });

  it('show the oldest lines from their beginning', () => {
    const many = { ...lines(...Array.from({ length: 40 }, (_, at) => `old ${at}`)), isReset: true };
    const head = after(LOG, '1', many);
    assert.match(logOf(head)[0] ?? '', /from the beginning ─ 24 newer lines/);
    assert.match(logOf(head)[1] ?? '', /old 0$/);
    assert.match(logOf(after(LOG, '1', { ...lines('a'), isReset: true }))[0] ?? '', /held, G follows/);
    assert.match(logOf(after(head, lines('newer')))[1] ?? '', /old 0$/);
  });

  it('mark the end, copy all lines, and open the pager with the lines that the filter wants', () => {
    assert.deepEqual(effectsOf(LOG, 'm'), [{ kind: 'mark', target: 'web' }]);
    assert.deepEqual(effectsOf(after(LOG, '2'), 'm'), []);
    const filtered = after(LOG, '/', 'line', '9', 'enter');
    const [copy] = effectsOf(filtered, 'c');
    assert.equal(copy?.kind === 'copy' && copy.text.split('\n').length, 20);
    const dated = after(LOG, '/', 'z', 'z', 'enter', {
      kind: 'lines',
      target: 'web',
      lines: [line('zz\x1b[31m1\x1b[0m', { stream: 'stderr' }), line('zz2', { at: null, name: '' })],
    });
    const [page] = effectsOf(dated, 'o');
    assert.match(page?.kind === 'page' ? page.text : '', /^[\d:.]{12} web ! zz1\n- {12}\| zz2\n$/);
    assert.match(logOf(dated)[2] ?? '', /^- {12}\| zz2$/);
    const description = after(press('d'), { kind: 'description', target: 'crash', lines: ['fact'] });
    assert.deepEqual(effectsOf(description, 'o'), [{ kind: 'page', text: 'fact\n' }]);
    assert.deepEqual(effectsOf(description, 'c'), [{ kind: 'copy', text: 'fact\n' }]);
    assert.deepEqual(effectsOf(description, '0'), []);
  });
});

describe('the palette', () => {
  const type = (state: TopState, text: string): TopState =>
    after(state, ':', ...[...text].map((letter) => (letter === ' ' ? 'space' : letter)));
  const listed = (state: TopState): string[] => {
    const text = textOf(state);
    const start = text.findIndex((shown) => shown.startsWith(':'));
    return text.slice(start + 1, -1).flatMap((shown) => (shown === '' ? [] : [shown.trim().replace(/ {2,}/g, ' → ')]));
  };

  it('offers what can be done here, with its key', () => {
    assert.deepEqual(listed(press(':')).slice(0, 3), ['logs crash → l', 'describe crash → d', 'restart crash → r']);
    assert.equal(listed(press(':')).length, 8);
    assert.deepEqual(listed(type(STATE, 'sort mem')), ['sort by mem → M']);
    assert.deepEqual(listed(type(LOG, 'log 30')), ['log 30m → 5']);
    assert.deepEqual(listed(type(STATE, 'nosuch')), ['nothing has these words']);
    assert.deepEqual(listed(type(STATE, 'pause')), ['pause → Space']);
  });

  it('finds a command for any program, and the program itself', () => {
    assert.deepEqual(listed(type(STATE, 'st w10')), ['stop worker:w10 → s', 'start worker:w10 → S']);
    assert.deepEqual(listed(type(STATE, 'go web')), ['go to web']);
    const asked = after(type(STATE, 'restart web'), 'enter');
    assert.match(textOf(asked).join('\n'), /^Restart web\? \[Cancel\]/m);
    assert.equal(chosen(asked), 'p web:web');
    assert.equal(after(type(STATE, 'logs db'), 'enter').pane?.target.name, 'db');
    assert.deepEqual(effectsOf(type(STATE, 'start worker:*'), 'enter').length, 1);
  });

  it('chooses a row that is folded or filtered out', () => {
    const hidden = after(press('/', 'w', 'e', 'b', 'enter'), 'z');
    assert.equal(chosen(after(type(hidden, 'go w10'), 'enter')), 'p worker:w10');
    assert.deepEqual(namesOf(after(type(hidden, 'go w10'), 'enter')).length, 7);
    const folded = press('z');
    assert.equal(chosen(after(type(folded, 'go w9'), 'enter')), 'p worker:w9');
    assert.equal(after(type(LOG, 'go db'), 'enter').isPaneFocused, false);
  });

  it('moves, completes, edits, and closes', () => {
    const second = after(press(':', 'down'), 'enter');
    assert.equal(second.pane?.kind, 'description');
    assert.equal(after(press(':', 'down', 'ctrl-n', 'up', 'ctrl-p', 'up'), 'enter').pane?.kind, 'logs');
    const completed = after(type(STATE, 'go w'), 'tab').overlay;
    assert.equal(completed?.kind === 'palette' && completed.text, 'go to web');
    assert.equal(type(STATE, 'ab').overlay?.kind, 'palette');
    for (const key of ['escape', 'ctrl-c', 'backspace']) assert.equal(press(':', key).overlay, null);
    const edited = after(type(STATE, 'ab'), 'backspace', 'c').overlay;
    assert.equal(edited?.kind === 'palette' && edited.text, 'ac');
    const emptied = after(type(STATE, 'ab'), 'ctrl-u', 'page-up', { kind: 'paste', text: 'quit\nx' });
    assert.deepEqual(effectsOf(emptied, 'enter'), [{ kind: 'quit' }]);
    assert.deepEqual(effectsOf(type(STATE, 'nosuch'), 'enter'), []);
    const far = after(STATE, ':', ...Array<string>(30).fill('down'));
    assert.match(listed(far).at(-1) ?? '', /fold groups/);
  });

  it('offers no action when read-only', () => {
    const readOnly = after(initialState({ columns: 80, rows: 24 }, true), { kind: 'processes', processes: PROCESSES });
    assert.deepEqual(listed(type(readOnly, 'restart web')), ['nothing has these words']);
    assert.deepEqual(listed(after(stateOf([]), ':'))[0], 'filter → /');
  });
});

describe('the description', () => {
  it('shows lines, scrolls, copies, and belongs to one process', () => {
    const open = after(press('d'), {
      kind: 'description',
      target: 'crash',
      lines: Array.from({ length: 30 }, (_, at) => `fact ${at}`),
    });
    assert.match(textOf(open).join('\n'), /description of crash[^]*fact 0/);
    assert.match(textOf(after(open, 'G')).at(-3) ?? '', /fact 29/);
    assert.deepEqual(
      effectsOf(open, 'y').map(({ kind }) => kind),
      ['copy'],
    );
    assert.equal(after(open, { kind: 'description', target: 'web', lines: [] }), open);
    assert.equal(after(open, 'enter').pane?.kind, 'logs');
    assert.equal(after(open, 'space').isPaused, true);
    assert.equal(after(open, 'tab', 'j').pane?.target.name, 'db');
    assert.match(after(STATE, 'G', 'left', 'd').message?.text ?? '', /choose one process/);
  });
});
