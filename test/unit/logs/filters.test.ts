import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnsiStripper } from '../../../src/logs/ansi.ts';
import { CaptureFilter } from '../../../src/logs/capture.ts';

function strip(pieces: readonly Buffer[]): string {
  const stripper = new AnsiStripper();
  const out = pieces.map((piece) => Buffer.from(stripper.strip(piece)));
  return Buffer.concat([...out, stripper.finish()]).toString('latin1');
}

/** Cuts a text after each of the offsets. */
function pieces(text: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const ends = [...[...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b), bytes.length];
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

const CASES: ReadonlyArray<readonly [name: string, input: string, output: string]> = [
  ['no sequence', 'plain text\n', 'plain text\n'],
  ['colours', '\x1b[1;31mred\x1b[0m plain\x1b[m\n', 'red plain\n'],
  ['cursor and erase', 'a\x1b[2J\x1b[10;20Hb\x1b[K', 'ab'],
  ['private modes', '\x1b[?25lhidden\x1b[?25h', 'hidden'],
  ['title, ended by BEL', '\x1b]0;title\x07text', 'text'],
  ['link, ended by ST', '\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\', 'link'],
  ['character set', 'a\x1b(Bb\x1b[m', 'ab'],
  ['short sequences', '\x1b7a\x1b8b\x1b=', 'ab'],
  ['a newline ends what is no sequence', '\x1b[31\ntext', '\x1b[31\ntext'],
  ['a string without end keeps its line', '\x1b]0;no end\nnext', '\x1b]0;no end\nnext'],
  ['a lone escape at the end', 'a\x1b', 'a\x1b'],
  ['an escape within a sequence begins another', '\x1b[3\x1b[1mb', '\x1b[3b'],
  ['an escape within a string begins another', '\x1b]0;a\x1b[1mb\x1b]x\x1b\x1b]y\x07', '\x1b]0;ab\x1b]x\x1b'],
  ['bytes that are no UTF-8', '\xff\x1b[1m\xfe', '\xff\xfe'],
];

for (const [name, input, output] of CASES) {
  test(`strip_ansi: ${name}, also byte by byte`, () => {
    assert.equal(strip([Buffer.from(input, 'latin1')]), output);
    assert.equal(strip([...input].map((character) => Buffer.from(character, 'latin1'))), output);
  });
}

test('strip_ansi: a sequence that never ends is passed on', () => {
  const input = `\x1b[${'1;'.repeat(200)}m`;
  assert.equal(strip([Buffer.from(input)]), input);
  const long = `\x1b]0;${'x'.repeat(5000)}`;
  assert.equal(strip([Buffer.from(long)]), long);
});

test('strip_ansi: the result does not depend on the reads, and text without escapes is unchanged', () => {
  const rich = fc
    .array(fc.constantFrom('\x1b', '[', ']', '3', ';', 'm', '\x07', '\\', '\n', 'a', '(', '\xff'), { maxLength: 60 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(rich, fc.array(fc.nat()), (text, places) => {
      assert.equal(strip(pieces(text, places)), strip([Buffer.from(text, 'latin1')]));
      const plain = text.replaceAll('\x1b', '');
      assert.equal(strip([Buffer.from(plain, 'latin1')]), plain);
    }),
  );
});

function capture(parts: readonly Buffer[], limit = 100): { outside: string; sections: string[] } {
  const sections: string[] = [];
  const filter = new CaptureFilter(limit, (section) => sections.push(section.toString()));
  const memory = Buffer.alloc(1000);
  const outside: Buffer[] = [];
  for (const part of parts) {
    // One memory for all reads: what is held must have been copied.
    memory.fill('#');
    part.copy(memory);
    outside.push(Buffer.from(filter.filter(memory.subarray(0, part.length))));
  }
  outside.push(filter.finish());
  return { outside: Buffer.concat(outside).toString(), sections };
}

const BEGIN = '<!--XSUPERVISOR:BEGIN-->';
const END = '<!--XSUPERVISOR:END-->';

test('capture: sections are removed from the output and passed on, whatever the reads', () => {
  const text = `a<b ${BEGIN}one${END}mid${BEGIN}two${END}end<!--XSUP`;
  fc.assert(
    fc.property(fc.array(fc.nat()), (places) => {
      assert.deepEqual(capture(pieces(text, places)), { outside: 'a<b midend<!--XSUP', sections: ['one', 'two'] });
    }),
  );
});

test('capture: the last bytes of a long section are kept', () => {
  assert.deepEqual(capture([Buffer.from(`${BEGIN}0123456789`), Buffer.from(`abc${END}`)], 5), {
    outside: '',
    sections: ['89abc'],
  });
});

test('capture: a section without an end is dropped', () => {
  assert.deepEqual(capture([Buffer.from(`a${BEGIN}secret<!--`)]), { outside: 'a', sections: [] });
});
