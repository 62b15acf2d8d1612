/**
 * Hides what may be a secret in a text for people, such as a command: passwords in URLs, and values of arguments and
 * variables whose names sound like secrets. Takes linear time. Pure.
 */

/** Stands in place of a secret. */
export const HIDDEN = '***';

/** The password of `scheme://user:password@host`. A user name alone is hidden as well: it may be a token. */
const URL_PASSWORD = /\b([a-z][a-z\d+.-]{0,20}:\/\/)[^\s/?#'"]{1,1000}@/gi;

/** A name with such a word in it. Names of files, such as `--password-file`, are no secrets. */
const NAME =
  '[\\w.-]{0,60}(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|credential)s?' +
  '(?![a-z])(?![\\w.-]{0,20}(?:file|path|dir)\\b)[\\w.-]{0,20}';

/** `--db-password=x`, `TOKEN=x`, `"password": "x"`. */
const ASSIGNED = new RegExp(
  `((?:^|[^\\w.-])-{0,2}${NAME}["']?\\s{0,3}[=:]\\s{0,3})("[^"]*"|'[^']*'|[^\\s,;&"']+)`,
  'gi',
);

/** `--password x`. */
const FOLLOWED = new RegExp(`((?:^|\\s)--?${NAME}\\s{1,3})("[^"]*"|'[^']*'|[^\\s"'-][^\\s"']*)`, 'gi');

/** `Authorization: Bearer x`, `Authorization: Basic x`. */
const AUTHORIZATION = /\b(authorization["']?\s{0,3}[=:]\s{0,3}["']?(?:bearer|basic)?\s{0,3})[^\s"']+/gi;

/** Returns the text with `***` in place of each part that may be a secret. */
export function hideSecrets(text: string): string {
  return text
    .replace(URL_PASSWORD, `$1${HIDDEN}@`)
    .replace(AUTHORIZATION, `$1${HIDDEN}`)
    .replace(ASSIGNED, `$1${HIDDEN}`)
    .replace(FOLLOWED, `$1${HIDDEN}`);
}
