/**
 * Guesses the level of a line, in tiers: a key of JSON or logfmt, a word at the beginning, a word in capitals near the
 * beginning. Only the first characters are looked at. Pure.
 */

/** Levels, the least important first. */
export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** A level. */
export type LogLevel = (typeof levels)[number];

const WORDS: ReadonlyMap<string, LogLevel> = new Map([
  ['trace', 'trace'],
  ['trce', 'trace'],
  ['finest', 'trace'],
  ['verbose', 'debug'],
  ['debug', 'debug'],
  ['debg', 'debug'],
  ['dbug', 'debug'],
  ['dbg', 'debug'],
  ['fine', 'debug'],
  ['info', 'info'],
  ['information', 'info'],
  ['notice', 'info'],
  ['warn', 'warn'],
  ['warning', 'warn'],
  ['error', 'error'],
  ['err', 'error'],
  ['severe', 'error'],
  ['fatal', 'fatal'],
  ['critical', 'fatal'],
  ['crit', 'fatal'],
  ['alert', 'fatal'],
  ['emerg', 'fatal'],
  ['emergency', 'fatal'],
  ['panic', 'fatal'],
]);
const ANY_WORD = [...WORDS.keys()].sort((a, b) => b.length - a.length).join('|');

/** Characters of a line that are looked at, and of JSON, where the key may stand behind others. */
const HEAD = 160;
const JSON_HEAD = 4096;

const JSON_KEY = /"(?:level|severity|@l|log\.level|lvl|loglevel|levelname)"\s*:\s*(?:"([^"]{1,20})"|(\d{1,3})\b)/i;
const LOGFMT_KEY = /(?:^|\s)(?:level|lvl|severity|loglevel)=["']?([a-z]{3,11})\b/i;
/** A priority of syslog, or a line of glog: `<3>text`, `E1129 12:33:56.1`. */
const PRIORITY = /^<(\d{1,3})>/;
const GLOG = /^([IWEF])\d{4} \d\d:\d\d/;
/** A word after a date, a time and brackets. */
const AT_START = new RegExp(String.raw`^[\s\d\-:.,/TZ+[\](){}<>|]{0,60}(${ANY_WORD})(?![\w-])`, 'i');
const IN_CAPITALS = new RegExp(String.raw`(?<![\w-])(${ANY_WORD.toUpperCase()})(?![\w-])`);
const SGR = /\x1b\[[\d;:]*m/g;

const GLOG_LEVELS: Readonly<Record<string, LogLevel>> = { I: 'info', W: 'warn', E: 'error', F: 'fatal' };
/** Levels by the severity of syslog, 0 to 7. */
const SYSLOG: readonly LogLevel[] = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'];

/** Returns the level that a line names, or null. */
export function guessLevel(line: string): LogLevel | null {
  const head = line.slice(0, HEAD).replace(SGR, '');
  if (head.trimStart().startsWith('{')) {
    const [, word, number] = JSON_KEY.exec(line.slice(0, JSON_HEAD)) ?? [];
    if (number !== undefined) return levelOfNumber(Number(number));
    return word === undefined ? null : (WORDS.get(word.toLowerCase()) ?? null);
  }
  const priority = PRIORITY.exec(head)?.[1];
  if (priority !== undefined) return SYSLOG[Number(priority) % 8] ?? null;
  const glog = GLOG.exec(head)?.[1];
  if (glog !== undefined) return GLOG_LEVELS[glog] ?? null;
  const word = LOGFMT_KEY.exec(head)?.[1] ?? AT_START.exec(head)?.[1] ?? IN_CAPITALS.exec(head)?.[1];
  return word === undefined ? null : (WORDS.get(word.toLowerCase()) ?? null);
}

/** Converts a number of pino and bunyan: 10 is trace, 60 is fatal. Numbers below 8 are severities of syslog. */
function levelOfNumber(number: number): LogLevel {
  if (number < SYSLOG.length) return SYSLOG[number] ?? 'info';
  return levels[Math.min(Math.max(Math.floor(number / 10), 1), levels.length) - 1] ?? 'info';
}

/** Reads the name of a level, or null. */
export function parseLevel(text: string): LogLevel | null {
  return WORDS.get(text.toLowerCase()) ?? null;
}

/** Returns true if `level` is at least as important as `least`. */
export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return levels.indexOf(level) >= levels.indexOf(least);
}

const CONTINUATION =
  /^(?:\s|[})\]]|Traceback \(|Caused by: |During handling |The above exception |[\w.]{1,99}(?:Error|Exception): )/;

/** True if a line without a level belongs to the line before it: a stack trace, or an indented text. */
export function isContinuation(line: string): boolean {
  return CONTINUATION.test(line);
}
