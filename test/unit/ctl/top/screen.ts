/** A terminal of a test: it applies the control sequences that the view sends, and shows the text. */
import { cellsOf } from '../../../../src/ctl/top/cells.ts';
import type { ProcessFacts, ProcessTone } from '../../../../src/ctl/top/facts.ts';
import { initialState, type Size, type TopEvent, type TopState } from '../../../../src/ctl/top/state.ts';
import { update } from '../../../../src/ctl/top/update.ts';
import { viewOf } from '../../../../src/ctl/top/view.ts';

/** A terminal with columns that hold a character and its colours. */
export class FakeTerminal {
  readonly #size: Size;
  #rows: string[][];
  #styles: string[][];

  constructor(size: Size) {
    this.#size = size;
    this.#rows = this.#filled(' ');
    this.#styles = this.#filled('');
  }

  #filled(value: string): string[][] {
    return Array.from({ length: this.#size.rows }, () => Array<string>(this.#size.columns).fill(value));
  }

  /** Applies sequences. Throws for one that it does not know. */
  write(text: string): void {
    let [row, column, style] = [0, 0, ''];
    for (const [token] of text.matchAll(/\x1b\[[0-?]*[@-~]|[^]/gu)) {
      const move = /^\x1b\[(\d+);(\d+)H$/.exec(token);
      if (move !== null) [row, column] = [Number(move[1]) - 1, Number(move[2]) - 1];
      else if (token === '\x1b[0m') style = '';
      else if (/^\x1b\[[\d;]*m$/.test(token)) style += token;
      else if (token === '\x1b[2J') [this.#rows, this.#styles] = [this.#filled(' '), this.#filled('')];
      else if (token === '\x1b[K') {
        this.#rows[row]?.fill(' ', column);
        this.#styles[row]?.fill('', column);
      } else if (token.startsWith('\x1b[?2026')) continue;
      else if (token.startsWith('\x1b')) throw new Error(`unknown sequence ${JSON.stringify(token)}`);
      else {
        const cells = cellsOf(token, 2);
        const width = cells[1]?.text === '' ? 2 : 1;
        if (cells[0]?.text === ' ' && token !== ' ') {
          // A mark joins the character before it.
          const before = this.#rows[row]?.[column - 1] === '' ? column - 2 : column - 1;
          this.#rows[row]![before] += token;
          continue;
        }
        for (const [index, part] of [token, ''].slice(0, width).entries()) {
          this.#rows[row]![column + index] = part;
          this.#styles[row]![column + index] = style;
        }
        column += width;
      }
    }
  }

  get lines(): string[] {
    return this.#rows.map((row) => row.join('').trimEnd());
  }

  /** Characters and colours, to compare two screens. */
  get cells(): unknown {
    return this.#rows.map((row, at) => row.map((text, column) => [text, this.#styles[at]?.[column]]));
  }
}

/** Makes the facts of a process. */
export function facts(namespec: string, more: Partial<ProcessFacts> = {}): ProcessFacts {
  const [group = '', name = group] = namespec.split(':');
  const state = more.state ?? 'RUNNING';
  const tones: Readonly<Record<string, ProcessTone>> = {
    RUNNING: 'good',
    FATAL: 'bad',
    STARTING: 'busy',
    STOPPING: 'busy',
  };
  return {
    id: `${group}:${name}`,
    group,
    name,
    namespec: group === name ? name : namespec,
    state,
    tone: tones[state] ?? 'idle',
    readiness: '',
    restarts: 0,
    uptimeMs: state === 'RUNNING' ? 3_723_000 : null,
    cpuPercent: state === 'RUNNING' ? 0.5 : null,
    memory: state === 'RUNNING' ? 12 * 1024 * 1024 : null,
    pid: state === 'RUNNING' ? 100 : 0,
    why: '',
    ...more,
  };
}

/** Applies events, and returns the last state. */
export function after(state: TopState, ...events: ReadonlyArray<TopEvent | string>): TopState {
  return events.reduce<TopState>(
    (now, event) => update(now, typeof event === 'string' ? { kind: 'key', name: event } : event).state,
    state,
  );
}

/** Makes a state of these processes. */
export function stateOf(processes: readonly ProcessFacts[], columns = 80, rows = 24): TopState {
  return after(initialState({ columns, rows }, false), { kind: 'processes', processes });
}

/** Returns the screen as text, without colours. */
export function textOf(state: TopState, hasUnicode = true): string[] {
  return viewOf(state, { hasColour: false, hasUnicode }).map((line) => line.replaceAll(/\x1b\[[\d;]*m/g, '').trimEnd());
}
