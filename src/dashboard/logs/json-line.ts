/** Makes a line of JSON readable: time, level and message first, then the other members as `key=value`. Pure. */
import { parseLevel } from '../../core/line-level.ts';
import { type Piece, showControls } from './ansi.ts';

/** Longest line that is read as JSON, in characters. */
const MAX_LENGTH = 64 * 1024;

/** Maximum number of members that are shown. */
const MAX_MEMBERS = 200;

const TIME = ['time', 'ts', 'timestamp', '@timestamp', '@t', 'datetime'];
const LEVEL = ['level', 'severity', '@l', 'log.level', 'lvl', 'loglevel', 'levelname'];
const MESSAGE = ['msg', 'message', '@m', '@mt', 'event', 'text'];

const NUMBERS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** True if a line may be an object of JSON. */
export function looksLikeJson(line: string): boolean {
  return line.startsWith('{') && /\}\s*$/.test(line.slice(-8)) && line.length <= MAX_LENGTH;
}

/** Returns the pieces of a readable line; null if the line is no object of JSON. */
export function readableJson(line: string): Piece[] | null {
  if (!looksLikeJson(line)) return null;
  let members: Map<string, unknown>;
  try {
    members = new Map(Object.entries(JSON.parse(line) as object));
  } catch {
    return null;
  }
  const pieces: Piece[] = [];
  const add = (text: string, look: string): void => {
    if (text !== '') pieces.push({ text: showControls(text.replaceAll('\n', '⏎')), look });
  };
  const time = take(members, TIME);
  const level = take(members, LEVEL);
  const message = take(members, MESSAGE);
  if (time !== undefined) add(`${timeText(time)} `, 'jtime');
  if (level !== undefined) {
    const word = (typeof level === 'number' ? NUMBERS[level] : undefined) ?? valueText(level);
    add(word.toUpperCase().padEnd(5), `jlevel ${parseLevel(word) ?? ''}`.trim());
    add(' ', '');
  }
  if (message !== undefined) add(valueText(message), 'jmessage');
  for (const [index, [key, value]] of [...members].entries()) {
    if (index === MAX_MEMBERS) {
      add(' …', 'jkey');
      break;
    }
    add(`${pieces.length === 0 ? '' : ' '}${key}=`, 'jkey');
    add(quoted(valueText(value)), 'jvalue');
  }
  return pieces;
}

/** Takes the first of some members. */
function take(members: Map<string, unknown>, keys: readonly string[]): unknown {
  const key = keys.find((one) => members.has(one) && typeof members.get(one) !== 'object');
  if (key === undefined) return undefined;
  const value = members.get(key);
  members.delete(key);
  return value;
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Quotes a value that would not be one word. An object of JSON needs no quotes. */
function quoted(text: string): string {
  return /^[{[]/.test(text) || /^[^\s="]+$/.test(text) ? text : JSON.stringify(text);
}

/** A time as ISO text. Numbers are seconds or milliseconds since 1970. */
function timeText(value: unknown): string {
  if (typeof value !== 'number') return valueText(value);
  const date = new Date(value < 1e11 ? value * 1000 : value);
  return Number.isNaN(date.getTime()) ? String(value) : date.toISOString();
}
