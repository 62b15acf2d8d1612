/** Reads the sections `[api_user:x]`: users of the HTTP servers, each with a role. No message has a password in it. */
import type { Document, RawSection } from './dialect.ts';
import type { ApiUserConfig } from './model.ts';
import { apiUserOptions } from './options.ts';
import type { Problems } from './problems.ts';
import { API_USER_PREFIX, readProgramName } from './section-names.ts';
import type { SectionReader } from './section-reader.ts';
import type { SectionView } from './section-view.ts';
import type { Source } from './source.ts';

/** Longest password. A header of a request has at most 16 KiB. */
const MAX_PASSWORD = 4096;
const SHA_PREFIX = /^\{SHA\}/i;
const SHA_HASH = /^\{SHA\}[\da-f]{40}$/i;

/** Facts that the sections are read with. */
export interface ApiUserContext {
  readonly document: Document;
  readonly reader: SectionReader;
  readonly problems: Problems;
  /** Reads `password_file`. Null: files are not read (`--static`). */
  readonly source: Pick<Source, 'read'> | null;
}

function sectionsOf(document: Document): RawSection[] {
  return [...document.sections.values()].filter(({ name }) => name.startsWith(API_USER_PREFIX));
}

/** True if a configuration has users, so that each of its servers counts as having a password. */
export function hasApiUsers(document: Document): boolean {
  return sectionsOf(document).length > 0;
}

/** Returns each `[api_user:x]`. */
export function readApiUsers({ document, reader, problems, source }: ApiUserContext): ApiUserConfig[] {
  const users = sectionsOf(document).map((section) => {
    const name = readProgramName(section, problems);
    reader.warnUnknown(section, [apiUserOptions]);
    const view = reader.open(section, [document.defaults]);
    const options = reader.read(view, apiUserOptions, null);
    return { name, options, password: readPassword(view, options, source) };
  });
  for (const { name } of users) checkServerUser(document, reader, name);
  return users;
}

/** Returns the password of a user; null after an error, and if files are not read. */
function readPassword(
  view: SectionView,
  { password, password_file: file }: ApiUserConfig['options'],
  source: ApiUserContext['source'],
): string | null {
  if (view.isSet('password') && view.isSet('password_file')) {
    view.error('password_file', 'is set, and password too; remove one of the two');
    return null;
  }
  if (file === null) {
    if (password === null) view.error('password', 'is missing; add password=… or password_file=/run/secrets/…', null);
    return password === null ? null : checkPassword(view, 'password', password);
  }
  if (source === null) return null;
  const text = source.read(file);
  if (!text.ok) {
    view.error('password_file', `cannot read ${file}: ${text.reason}`);
    return null;
  }
  return checkPassword(view, 'password_file', text.text.replace(/\r?\n$/, ''));
}

function checkPassword(view: SectionView, option: string, password: string): string | null {
  const reason = findFault(password);
  if (reason !== null) view.error(option, reason);
  return reason === null ? password : null;
}

/** Returns the reason why a text is no password; null if it is one. */
function findFault(password: string): string | null {
  if (password === '') return 'the password is empty; set one, or remove the section';
  if (password.length > MAX_PASSWORD) return `the password is longer than ${MAX_PASSWORD} characters`;
  if (/[\r\n]/.test(password)) return 'the password has several lines; write it on the first line only';
  if (SHA_PREFIX.test(password) && !SHA_HASH.test(password))
    return 'the hash is not shown: expected {SHA} and the SHA-1 of the password, 40 hexadecimal digits';
  return null;
}

/** Reports a user with the name of a server's own user: the log could not tell which of them has asked. */
function checkServerUser(document: Document, reader: SectionReader, name: string): void {
  for (const section of document.sections.values()) {
    if (!/^(?:unix|inet)_http_server/.test(section.name)) continue;
    const view = reader.open(section, [document.defaults]);
    if (view.isSet('username') && reader.readText(view, 'username') === name)
      view.error('username', `is the name of [${API_USER_PREFIX}${name}] too; use another name for one of the two`);
  }
}
