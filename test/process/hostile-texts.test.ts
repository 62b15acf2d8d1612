/**
 * Long repetitive texts for every parser of text from outside: of clients, of hostile servers, of programs, of files.
 * Not in the unit ring, since measuring coverage takes time. Each parser takes a mebibyte in less than 50 ms of
 * processor time, with any content, and throws only its own errors.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseCommandLine } from '../../src/core/command-line.ts';
import { duration, exitCodes, nameList, parseByteSize, wordList } from '../../src/config/datatypes.ts';
import { findMatches as findFiles } from '../../src/config/glob.ts';
import { logTargets } from '../../src/config/log-target.ts';
import { logTemplate } from '../../src/config/log-types.ts';
import { signalList } from '../../src/config/signal-types.ts';
import { splitLines, splitWords, strip } from '../../src/config/python-text.ts';
import { readListenerOutput, initialListener, markBusy } from '../../src/core/listener-protocol.ts';
import { parseNamespec } from '../../src/core/namespec.ts';
import { parseNotifyMessage } from '../../src/core/notify-message.ts';
import { fitMessage, showText } from '../../src/core/shown-text.ts';
import { parseSignal } from '../../src/core/signals.ts';
import { parseInteger } from '../../src/ctl/commands/tail.ts';
import { completeLine } from '../../src/ctl/completion.ts';
import { parseLine } from '../../src/ctl/dispatch.ts';
import { formatStartResult } from '../../src/ctl/format.ts';
import { findMatches, splitNames } from '../../src/ctl/names.ts';
import { isUrl, parseServerUrl } from '../../src/ctl/server-url.ts';
import { describeJob } from '../../src/health/reasons.ts';
import { parseBasic } from '../../src/http/authentication.ts';
import { isCrossSite } from '../../src/http/cross-site.ts';
import { createHostRule } from '../../src/http/host-rule.ts';
import { matchRoute, type Route } from '../../src/http/route.ts';
import { AnsiStripper } from '../../src/logs/ansi.ts';
import { parsePrefixTemplate } from '../../src/logs/line-prefix.ts';
import { parseEnvironmentFile } from '../../src/process/environment-files.ts';
import { readInteger } from '../../src/rpc/method.ts';
import { decodeCall, decodeResponse } from '../../src/rpc/xmlrpc.ts';
import { formatLogText } from '../../src/web/log-text.ts';

const SIZE = 1024 * 1024;
/** Most parsers are so fast with this size that the full size need not be tried. */
const SCREEN_SIZE = SIZE / 4;
const SCREEN_US = 10_000;
/**
 * The limit is for an unshared processor: three times what the slowest parser takes there. Quadratic time would be
 * minutes. The time of a job of known duration shows how much slower the processor is now.
 */
const LIMIT_US = 100_000;
const KNOWN_JOB_US = 6_000;
/** Other processes and the garbage collector disturb single measurements. The best of several is that of the parser. */
const TRIES = 8;

function slowness(): number {
  const text = 'x'.repeat(SIZE);
  let sum = 0;
  const took = measure(() => {
    for (let pass = 0; pass < 8; pass += 1) for (let at = 0; at < SIZE; at += 1) sum += text.charCodeAt(at);
  }, '');
  assert.ok(sum > 0);
  return Math.max(1, took / KNOWN_JOB_US);
}

/** Maximum number of bytes of a datagram (process/notification-socket.ts). */
const DATAGRAM = 4096;

const context = { cwd: '/', home: '/root///', host: null };
const route = (method: Route['method'], path: string): Route => ({
  method,
  path,
  access: 'admin',
  answer: () => undefined,
});
const routes = [route('POST', '/RPC2'), route('GET', '/logtail'), route('GET', '/'), route('POST', '/')];
const isHostAccepted = createHostRule(['a.example']);
const call = (typed: string): string =>
  `<methodCall><methodName>m</methodName><params><param><value>${typed}</value></param></params></methodCall>`;
const answer = (typed: string): string =>
  `<methodResponse><params><param><value>${typed}</value></param></params></methodResponse>`;

/** Parsers that accept any text. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  'XML-RPC call': decodeCall,
  'XML-RPC answer': decodeResponse,
  ...Object.fromEntries(
    ['string', 'int', 'double', 'base64', 'dateTime.iso8601', 'struct'].map((type) => [
      `XML-RPC ${type}`,
      (text: string) => decodeCall(call(`<${type}>${text}</${type}>`)),
    ]),
  ),
  'XML-RPC markup in a value': (text) => decodeResponse(answer(text)),
  'XML-RPC attributes': (text) => decodeCall(`<methodCall ${text}`),
  'XML-RPC number as text': readInteger,
  'HTTP target': (text) => matchRoute(routes, 'GET', `/x${text}`),
  'HTTP target, absolute': (text) => matchRoute(routes, 'GET', `http://${text}`),
  'HTTP Authorization': (text) => parseBasic(`Basic ${text}`),
  'HTTP Host': isHostAccepted,
  'HTTP Origin': (text) => isCrossSite({ headers: { origin: `http://${text}`, host: text } }),
  'web log': (text) => formatLogText(Buffer.from(text), true),
  'name of a process': parseNamespec,
  'name of a signal': parseSignal,
  'message of sd_notify': (text) => parseNotifyMessage(Buffer.from(`STATUS=${text}`.slice(0, DATAGRAM))),
  'ready line of a listener': (text) => readListenerOutput(initialListener, text),
  'result of a listener': (text) => readListenerOutput(markBusy(initialListener), text),
  'output of a health check': (text) =>
    describeJob({ kind: 'ended', status: { kind: 'exited', code: 1 }, output: text }, 1000),
  'ANSI sequences': (text) => new AnsiStripper().strip(Buffer.from(text)),
  'shown text': (text) => [showText(text), fitMessage(text)],
  'file of an environment': (text) => parseEnvironmentFile(text, '/e'),
  'file of an environment, a value': (text) => parseEnvironmentFile(`A=${text}`, '/e'),
  'command line': parseCommandLine,
  duration: (text) => duration.parse(text, context),
  'duration, with a unit': (text) => duration.parse(`${text}s`, context),
  size: parseByteSize,
  names: (text) => nameList.parse(text, context),
  words: (text) => wordList.parse(text, context),
  'exit codes': (text) => exitCodes.parse(text, context),
  signals: (text) => signalList.parse(text, context),
  'log targets': (text) => logTargets.parse(`/x${text}`, context),
  'log prefix': parsePrefixTemplate,
  'log prefix of a configuration': (text) => logTemplate.parse(text, context),
  'whitespace at the ends': strip,
  'words of a line': splitWords,
  lines: splitLines,
  'pattern of an include': (text) =>
    findFiles(`/a/*${text.replaceAll('/', '')}`, { list: () => ['x'], isFile: () => true, isDirectory: () => true }),
  'client: names': splitNames,
  'client: pattern': (text) => findMatches(`*${text}*`, [{ group: 'g', name: 'n' }]),
  'client: name from a server': (text) => findMatches('*a*a*b*?*a*x', [{ group: text, name: text }]),
  'client: address': (text) => [isUrl(text), parseServerUrl(`http://${text}`)],
  'client: line': (text) => [parseLine(text), parseInteger(text)],
  'client: result of a start': (text) =>
    formatStartResult({ name: 'n', group: 'g', status: 50, description: `SPAWN_ERROR: ${text}`, reason: text }),
};

const ATOMS = [
  ...Array.from('0aA \t\n\r\\"\'<>&;:/#%([*+-.,=_$\0\x1b\u00e9\u2028'),
  '%(',
  '%(a)s',
  '%%',
  '\\"',
  '\r\n',
  'a=b\n',
  'A="\n',
  "A='\n",
  '1s',
  '1.',
  '0_',
  '::',
  '/../',
  '%2f',
  '%',
  'a:',
  ', ',
  ' #',
  '\x1b[',
  '\x1b]',
  '\x1b[0',
  '*a',
  '[a',
  '[!',
  '?*',
  '<a>',
  '</a>',
  '<a/>',
  '<!--',
  '-->',
  '<![CDATA[',
  '<?x',
  '&#1',
  '&amp;',
  '<a b="" ',
  'b="" ',
  '<value>',
  '<value/>',
  '<value><i4>1</i4></value>',
  'READY\n',
  'RESULT 2\nOK',
  'x'.repeat(100) + '\n',
  '\u{1f600}',
];

/** Repeats an atom, between texts that keep a parser from taking it for the beginning or the end. */
function textsOf(atom: string, size: number): string[] {
  const text = atom.repeat(Math.floor(size / atom.length));
  return [`a${text}\r!`];
}

function measure(parse: (text: string) => unknown, text: string): number {
  const began = process.cpuUsage();
  try {
    parse(text);
  } catch (error) {
    assert.ok(
      error instanceof Error && !(error instanceof RangeError) && !(error instanceof TypeError),
      `${error instanceof Error ? error.stack : String(error)}`,
    );
    assert.ok(error.message.length < 10_000 || text.includes(error.message.slice(50, 100)), 'a message is short');
  }
  const { user, system } = process.cpuUsage(began);
  return user + system;
}

for (const [name, parse] of Object.entries(PARSERS)) {
  test(`a mebibyte of text: ${name}`, async () => {
    const slow: string[] = [];
    for (const atom of ATOMS) {
      // The runner hears of a test only when the loop turns.
      await nextTurn();
      textsOf(atom, SCREEN_SIZE).forEach((screen, index) => {
        if (measure(parse, screen) < SCREEN_US) return;
        const text = textsOf(atom, SIZE)[index] ?? '';
        let best = Infinity;
        for (let run = 0; run < TRIES && best > LIMIT_US; run += 1)
          best = Math.min(best, measure(parse, text) / slowness());
        if (best > LIMIT_US) slow.push(`${JSON.stringify(text.slice(0, 12))} took ${best} µs`);
      });
    }
    assert.deepEqual(slow, []);
  });
}

test('a mebibyte of text: client, a word to complete', async () => {
  for (const atom of ATOMS)
    for (const text of textsOf(atom, SIZE))
      await completeLine(text, () => Promise.resolve([{ name: text, group: text }]));
});
