/** Types of the options of `[notify:x]`. Errors never repeat a URL or a header: both may be secrets. Pure. */
import { alertEventNames, findAlertEvent, isForListeners } from '../core/alert-events.ts';
import { isHeader } from '../core/alert-headers.ts';
import { type AlertTemplate, AlertTemplateError, parseAlertTemplate } from '../core/alert-template.ts';
import { parseWebUrl } from '../core/web-url.ts';
import { type DataType, dataType, reject, UnclosedValue, WrongValue } from './datatype.ts';
import { absolutePath, duration, wordList } from './datatypes.ts';
import { environment } from './environment-types.ts';
import { formatSuggestion } from './nearest.ts';
import { strip } from './python-text.ts';

/** Names of events with commas or spaces between them. */
export const alertEvents = dataType<readonly string[]>('events', (value, context) => {
  const words = wordList.parse(value, context);
  if (words.length === 0) reject('', 'names of events, for example fatal, flapping');
  return words.map((word) => {
    const name = findAlertEvent(word);
    if (name !== null) return name;
    if (isForListeners(word))
      throw new WrongValue(`"${word}" is for listeners only; use an [eventlistener:x] with events=${word}`);
    const hint = formatSuggestion(word, alertEventNames) || `; there are ${alertEventNames.join(', ')}`;
    throw new WrongValue(`there is no event named "${word}"${hint}`);
  });
});

const URL_FORM = 'expected a URL with http or https, for example https://hooks.example.org/services/T0/B0';

/** A URL whose path may be a secret, as that of a chat webhook. Only its server is shown. */
export const alertUrl = dataType<URL>(
  'http://… \\| https://…',
  (value) => {
    const url = parseWebUrl(strip(value));
    if (url !== null) return url;
    throw new WrongValue(`the value is not shown, since it may be a secret: ${URL_FORM}`);
  },
  (url) => (url.pathname + url.search === '/' && url.username === '' ? url.href : `${url.origin}/***`),
);

/** Text of JSON with facts. */
export const alertTemplate = dataType<AlertTemplate>(
  'JSON',
  (value) => {
    try {
      return parseAlertTemplate(value);
    } catch (error) {
      if (!(error instanceof AlertTemplateError)) throw error;
      if (error.isBroken) throw new UnclosedValue(error.message, '\\u003b or \\u0023 for the character itself');
      throw new WrongValue(error.message);
    }
  },
  ({ text }) => text,
);

/** Headers as pairs with commas between them. */
export const headers: DataType<ReadonlyMap<string, string>> = {
  ...environment,
  parsePieces: (pieces) => {
    const pairs = environment.parsePieces?.(pieces) ?? new Map<string, string>();
    for (const [name, value] of pairs)
      if (!isHeader(name, value))
        throw new WrongValue('a name or a value is no HTTP header; write Name="value", as X-Token="abc"');
    return pairs;
  },
  remarks: () => [],
};

/** A file that is read for each message. It may be made later. */
export const laterFile = dataType('path', (value, context) => absolutePath(strip(value), context));

/** Longest time for a message. A later one would be of no use, and keeps the queue waiting. */
const LONGEST_TIMEOUT_S = 600;

/** A time for a message. */
export const alertTimeout = dataType('seconds', (value, context) => {
  const seconds = duration.parse(value, context);
  return seconds >= 0.001 && seconds <= LONGEST_TIMEOUT_S
    ? seconds
    : reject(value, `a duration from 1ms to ${LONGEST_TIMEOUT_S}s, for example 10s`);
});
