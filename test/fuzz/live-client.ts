/** A client of the live events for random tests: reads strictly, and knows which bytes of the outputs it has. */
import assert from 'node:assert/strict';
import { encodeBytes } from '../../src/files/bytes.ts';

/** A message as a browser dispatches it. */
export interface Dispatched {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

/**
 * Reads a text by the rules of server-sent events (WHATWG HTML, 9.2.6). A message whose empty line is missing is not
 * dispatched. Fields that we have no use for are faults.
 */
export function readEvents(text: string): Dispatched[] {
  const lines = text.split(/\r\n|\r|\n/);
  // The last line has no end.
  lines.pop();
  const dispatched: Dispatched[] = [];
  let fields = new Map<string, string>();
  for (const line of lines) {
    if (line === '') {
      const data = fields.get('data');
      if (data !== undefined) dispatched.push({ event: fields.get('event') ?? '', id: fields.get('id') ?? null, data });
      fields = new Map();
      continue;
    }
    const [, name = '', value = ''] = /^(id|event|data): (.*)$/s.exec(line) ?? [];
    assert.notEqual(name, '', `no field: ${JSON.stringify(line)}`);
    assert.ok(!fields.has(name), `a second ${name}`);
    fields.set(name, value);
  }
  return dispatched;
}

interface Line {
  readonly seq: number;
  readonly name: string;
  readonly text: string;
  readonly partial?: boolean;
}

interface Data {
  readonly seq: number;
  readonly processes: ReadonlyArray<{ readonly name: string; readonly statename: string }>;
  readonly removed: readonly string[];
  readonly events: ReadonlyArray<{ readonly seq: number }>;
  readonly lines: readonly Line[];
  readonly missed: ReadonlyArray<{ readonly name: string; readonly bytes: number }>;
  readonly n: number;
}

const KINDS = ['snapshot', 'delta', 'lines', 'usage', 'dropped', 'reset', 'ping'];

/** Bytes that were written to the outputs, by the name of the program. */
export type Written = ReadonlyMap<string, ReadonlyArray<{ readonly seq: number; readonly bytes: Buffer }>>;

/** Facts that one client has, over all its connections. */
export class LiveClient {
  /** Id of the last message that had one. */
  lastId: string | null = null;
  /** Number before the first byte that this client must have. */
  #base = 0;
  /** Numbers of the events that came. */
  readonly events: number[] = [];
  /** Number after which it must have all events. */
  firstEvents = 0;
  readonly states = new Map<string, string>();
  readonly #lines: Array<{ readonly seq: number; readonly name: string; readonly bytes: Buffer }> = [];
  /** Bytes whose loss was told, by program. */
  readonly missed = new Map<string, number>();
  dropped = 0;
  resets = 0;
  messages = 0;
  #isReset = false;

  /** Begins a connection. `latest`: the latest number of the sequence. A client without a position begins there. */
  connect(latest: number): void {
    if (this.lastId !== null) return;
    this.#base = latest;
    this.#lines.length = 0;
  }

  /** Takes the messages of a text. */
  take(text: string): void {
    for (const { event, id, data } of readEvents(text)) {
      this.messages += 1;
      assert.ok(KINDS.includes(event), `no kind of message: ${event}`);
      this.#takeData(event, JSON.parse(data) as Data);
      if (id === null) continue;
      this.#checkId(id);
      this.lastId = id;
    }
  }

  /** Checks that neither number of a position goes back. */
  #checkId(id: string): void {
    const [lines, events] = numbersOf(id);
    assert.ok(Number.isSafeInteger(lines) && Number.isSafeInteger(events), `no position: ${id}`);
    if (this.lastId === null) return;
    const [linesBefore, eventsBefore] = numbersOf(this.lastId);
    assert.ok(lines >= linesBefore && events >= eventsBefore, `${id} came after ${this.lastId}`);
  }

  #takeData(event: string, data: Data): void {
    switch (event) {
      case 'reset':
        this.resets += 1;
        this.#isReset = true;
        break;
      case 'dropped':
        this.dropped += data.n;
        break;
      case 'snapshot':
        // The first connection, or one that could not be continued: events begin here.
        if (this.lastId === null || this.#isReset) {
          this.events.length = 0;
          this.firstEvents = data.seq;
        }
        this.#isReset = false;
        this.states.clear();
        for (const { name, statename } of data.processes) this.states.set(name, statename);
        break;
      case 'delta':
        for (const { name, statename } of data.processes) this.states.set(name, statename);
        for (const name of data.removed) this.states.delete(name);
        this.events.push(...data.events.map(({ seq }) => seq));
        break;
      case 'lines':
        for (const line of data.lines) this.#takeLine(line);
        for (const { name, bytes } of data.missed) this.missed.set(name, (this.missed.get(name) ?? 0) + bytes);
        break;
    }
  }

  #takeLine({ seq, name, text, partial = false }: Line): void {
    const bytes = Buffer.concat([encodeBytes(text), Buffer.from(partial ? '' : '\n')]);
    this.#lines.push({ seq, name, bytes });
  }

  /** Compares the lines with the bytes that were written: none twice, none changed, and none missing without a word. */
  check(written: Written): void {
    for (const [name, blocks] of written) {
      const seqs = blocks.flatMap(({ seq, bytes }) => Array.from(bytes, (_, index) => seq + index));
      const all = Buffer.concat(blocks.map(({ bytes }) => bytes));
      const has = new Uint8Array(all.length);
      for (const { seq, bytes } of this.#lines.filter((line) => line.name === name)) {
        const at = seqs.indexOf(seq);
        assert.notEqual(at, -1, `${name}: no byte has the number ${seq}`);
        assert.deepEqual(bytes.toString('latin1'), all.toString('latin1', at, at + bytes.length), `${name} at ${seq}`);
        for (let index = at; index < at + bytes.length; index += 1) {
          assert.equal(has[index], 0, `${name}: byte ${index} came twice`);
          has[index] = 1;
        }
      }
      const lost = seqs.filter((seq, index) => has[index] === 0 && seq > this.#base).length;
      const told = this.dropped > 0 || this.resets > 0 ? Infinity : (this.missed.get(name) ?? 0);
      assert.ok(lost <= told, `${name}: ${lost} bytes are missing, and the loss of ${told} was told`);
    }
  }
}

/** Returns the numbers of lines and events in an id. The manual forbids this to clients. */
function numbersOf(id: string): readonly [number, number] {
  const [, lines = 'x', events = lines] = /^fake-1-(\d+)(?:\.(\d+))?$/.exec(id) ?? [];
  return [Number(lines), Number(events)];
}
