/** The words that fit at the end of a command line, and the forms in which bash takes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findOffers, type OfferSources } from '../../../src/cli/complete.ts';
import { escapeForShell, insertionFor, splitTyped } from '../../../src/cli/typed-line.ts';
import { commandSpecs } from '../../../src/cli/commands.ts';

const PROCESSES = [
  { group: 'web', name: 'web' },
  { group: 'worker', name: 'w0' },
  { group: 'worker', name: 'w1' },
];

/** Completes a line, whose last word is after the last blank. Records the options of the connection. */
async function complete(line: string): Promise<{ words: string[]; paths: string | null; asked: string[] | null }> {
  let asked: string[] | null = null;
  const sources: OfferSources = {
    flags: [
      { names: ['-c', '--configuration'], value: 'FILENAME', valueKind: 'file', help: 'file' },
      { names: ['-n', '--nodaemon'], help: 'foreground' },
    ],
    listTopics: () => [{ word: 'logs', help: 'page' }],
    listProcesses: (options) => {
      asked = [...options];
      return Promise.resolve(PROCESSES);
    },
  };
  const { offers, paths } = await findOffers(line.split(' '), sources);
  return { words: offers.map(({ word }) => word), paths, asked };
}

const CONDITIONS = ['started', 'ready', 'healthy', 'completed', 'exited'];

test('commands, options and values fit where the table has them', async () => {
  const rows: ReadonlyArray<readonly [line: string, words: string[], paths?: string]> = [
    ['onevisor sta', ['start', 'status']],
    ['onevisor -', ['-c', '--configuration', '-n', '--nodaemon', '--']],
    ['onevisor -n sta', ['start', 'status']],
    ['onevisor -c ', [], 'file'],
    ['onevisor -c x che', ['check']],
    ['onevisor -- ', [], 'file'],
    ['onevisor nosuch ', []],
    ['onevisor demo ', []],
    ['onevisor help rest', ['restart']],
    ['onevisor help lo', ['logs']],
    ['onevisor completion ', ['bash', 'zsh', 'fish']],
    ['onevisor schema e', ['environment']],
    ['onevisor check --strict --format g', ['github']],
    ['onevisor install ', [], 'directory'],
    ['onevisor pidproxy ', [], 'file'],
    ['onevisor check -c ', [], 'file'],
    ['onevisor check --s', ['--strict', '--static']],
    [
      'onevisor tail -',
      ['-f', '-c', '--configuration', '-s', '--serverurl', '-u', '--username', '-p', '--password', '--help'],
    ],
    ['onevisor tail web ', ['stdout', 'stderr']],
    ['onevisor signal H', ['HUP']],
    ['onevisor signal HUP w', ['web', 'worker:w0', 'worker:*', 'worker:w1']],
    ['onevisor start --timeout ', []],
    ['onevisor start --timeout 5 we', ['web']],
    ['onevisor start a', ['all']],
    ['onevisor fg a', []],
    ['onevisor update w', ['web', 'worker']],
    ['onevisor update web w', ['worker']],
    ['onevisor stop web:', ['web:web', 'web:*']],
    ['onevisor status --watch we', ['web']],
    [
      'onevisor ctl -',
      [
        '-c',
        '--configuration',
        '-s',
        '--serverurl',
        '-u',
        '--username',
        '-p',
        '--password',
        '-i',
        '--interactive',
        '-r',
        '--history-file',
      ],
    ],
    ['onevisor ctl -r ', [], 'file'],
    ['onevisor ctl check ', []],
    ['onevisor ctl help lo', ['logs']],
    ['onevisor ctl help qu', ['quit']],
    ['supervisorctl op', ['open']],
    ['supervisorctl open ', []],
    ['supervisorctl che', []],
    ['supervisorctl health w', ['web', 'worker:w0', 'worker:*', 'worker:w1']],
    ['onevisor wait wo', ['worker:w0', 'worker:*', 'worker:w1']],
    ['onevisor wait web:he', ['web:healthy']],
    ['onevisor ctl wait worker:w0:', CONDITIONS.map((condition) => `worker:w0:${condition}`)],
    ['supervisorctl wait worker:*', ['worker:*', ...CONDITIONS.map((condition) => `worker:*:${condition}`)]],
    ['onevisor wait nosuch:', []],
    ['onevisor stop web:st', []],
    ['/usr/bin/supervisorctl restart --', ['--rolling', '--with-dependents', '--timeout', '--logs', '--help']],
  ];
  for (const [line, words, paths = null] of rows) {
    const found = await complete(line);
    assert.deepEqual([found.words, found.paths], [words, paths], line);
  }
});

test('names come from the supervisor that the line means', async () => {
  assert.deepEqual((await complete('onevisor ctl -s unix:///x -i stop w')).asked, ['-s', 'unix:///x', '-i']);
  assert.deepEqual((await complete('onevisor stop -s unix:///x w')).asked, ['-s', 'unix:///x']);
  assert.deepEqual((await complete('onevisor health -c f w')).asked, ['-c', 'f']);
  assert.deepEqual((await complete('onevisor start --timeout 5 w')).asked, []);
  assert.equal((await complete('onevisor signal H')).asked, null);
});

test('every kind of argument in the table has words or is free text', async () => {
  for (const { name, kind, takes } of commandSpecs) {
    if (kind === 'shell' || takes.length === 0 || takes[0] === 'text') continue;
    const { words, paths } = await complete(`onevisor ${name} `);
    assert.ok(words.length > 0 || paths !== null, name);
  }
});

test('a line is split as bash splits it, also within quotes', () => {
  assert.deepEqual(splitTyped('a  b'), { words: ['a', 'b'], raw: 'b', quote: '', beforeQuote: '' });
  assert.deepEqual(splitTyped('a '), { words: ['a', ''], raw: '', quote: '', beforeQuote: '' });
  assert.deepEqual(splitTyped("a 'b c"), { words: ['a', 'b c'], raw: "'b c", quote: "'", beforeQuote: '' });
  assert.deepEqual(splitTyped('a "b\\"c"d'), { words: ['a', 'b"cd'], raw: '"b\\"c"d', quote: '', beforeQuote: '' });
  assert.deepEqual(splitTyped('a b"c\\d\\$'), {
    words: ['a', 'bc\\d$'],
    raw: 'b"c\\d\\$',
    quote: '"',
    beforeQuote: 'b',
  });
  assert.deepEqual(splitTyped("a 'b\\"), { words: ['a', 'b\\'], raw: "'b\\", quote: "'", beforeQuote: '' });
  assert.deepEqual(splitTyped('a w:\\*'), { words: ['a', 'w:*'], raw: 'w:\\*', quote: '', beforeQuote: '' });
});

test('bash gets the part of a word that it replaces, with backslashes', () => {
  const insert = (line: string, word: string, breaks = ' \t\n"\'><=;|&(:'): string =>
    insertionFor(word, splitTyped(line), breaks);
  assert.equal(insert('x wor', 'worker:*'), 'worker:\\*');
  assert.equal(insert('x worker:', 'worker:*'), '\\*');
  assert.equal(insert('x worker:w', 'worker:w0'), 'w0');
  assert.equal(insert('x worker:w', 'worker:w0', ' \t\n'), 'worker:w0', 'the user has removed the colon');
  assert.equal(insert("x 'worker:w", 'worker:w0'), 'worker:w0');
  assert.equal(insert("x 'wor'", 'worker:w0'), 'worker:w0');
  const hostile = `q"u$(x)\`b\\b!1'a`;
  assert.equal(insert('x "q', hostile), `q\\"u\\$(x)\\\`b\\\\b"\\!"1'a`);
  assert.equal(insert("x 'q", hostile), `q"u$(x)\`b\\b!1'\\''a`);
  assert.equal(insert("x 'q'", hostile), escapeForShell(hostile));
  assert.equal(insert('x q"', hostile), `\\"u\\$(x)\\\`b\\\\b"\\!"1'a`, 'bash replaces what is after the quote');
  assert.equal(escapeForShell("a b'c$ü?"), "a\\ b\\'c\\$ü\\?");
});
