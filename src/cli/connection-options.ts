/** The options with which a client finds its supervisor. Pure data. */
import type { OptionSpec } from './command-spec.ts';

/** An option of the client, with its name in the values that are read. */
export interface ConnectionOption extends OptionSpec {
  readonly key: string;
}

/** Options of every client command. compat: the names are those of supervisorctl. */
export const connectionOptions: readonly ConnectionOption[] = [
  {
    key: 'file',
    names: ['-c', '--configuration'],
    value: 'FILE',
    valueKind: 'file',
    help: 'configuration that names the supervisor',
  },
  {
    key: 'serverUrl',
    names: ['-s', '--serverurl'],
    value: 'URL',
    valueKind: 'text',
    help: 'address of the supervisor: unix:///PATH or http://HOST:PORT',
  },
  { key: 'username', names: ['-u', '--username'], value: 'USER', valueKind: 'text', help: 'user name for the server' },
  {
    key: 'password',
    names: ['-p', '--password'],
    value: 'PASSWORD',
    valueKind: 'text',
    help: 'password for the server',
  },
];

/** Further options of `onevisor ctl`. */
export const shellOptions: readonly ConnectionOption[] = [
  { key: 'interactive', names: ['-i', '--interactive'], help: 'ask for a password; a shell if there is no command' },
  {
    key: 'historyFile',
    names: ['-r', '--history-file'],
    value: 'FILE',
    valueKind: 'file',
    help: 'file for the history of the shell',
  },
];
