/**
 * Types of the options that name sockets: `listen`, and `socket` of FastCGI programs. Pure.
 */
import { posix } from 'node:path';
import { formatListen, type ListenSpec } from '../core/listen-spec.ts';
import { formatSocketAddress, parseTcpAddress, type SocketAddress } from '../core/socket-address.ts';
import { type Context, type DataType, dataType, reject, WrongValue } from './datatype.ts';
import { owner, requireText, wordList } from './datatypes.ts';
import { parseInteger } from './python-text.ts';

/** Longest path that a client can connect to (unix(7): sun_path has 108 bytes, one of them for the NUL). */
const LONGEST_PATH_BYTES = 107;
const LARGEST_MODE = 0o777;
const WANTED = 'a socket: tcp://host:port, tcp://[::]:port or unix:///absolute/path';
const PARAMETERS = 'mode=0660, owner=user:group or name=text';

function readAddress(text: string): SocketAddress {
  if (!text.startsWith('unix://')) return parseTcpAddress(text) ?? reject(text, WANTED);
  const path = text.slice('unix://'.length);
  if (!path.startsWith('/')) reject(text, 'a socket with an absolute path, for example unix:///run/app.sock');
  return { kind: 'unix', path: posix.normalize(requireText(path)) };
}

/** The socket of a FastCGI program. */
export const fcgiSocket = dataType<SocketAddress>('tcp://host:port \\| unix:///path', readAddress, formatSocketAddress);

function readMode(text: string): number {
  const mode = parseInteger(text, 8);
  return mode !== null && mode >= 0 && mode <= LARGEST_MODE ? mode : reject(text, 'a mode, for example mode=0660');
}

/** Reads a name for LISTEN_FDNAMES. As in systemd: visible ASCII without the colon that divides names. */
function readName(text: string): string {
  return /^[!-9;-~]{1,255}$/.test(text)
    ? text
    : reject(text, 'a name of at most 255 letters, digits and signs other than a colon, for example name=http');
}

/** Reads one socket with its parameters, which follow after semicolons. */
function readSpec(word: string, context: Context): ListenSpec {
  const [first = '', ...parameters] = word.split(';');
  const address = readAddress(first);
  let spec: ListenSpec = { address, mode: null, owner: null, name: null };
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    const [key, value] = [parameter.slice(0, Math.max(equals, 0)), parameter.slice(equals + 1)];
    if (key !== 'mode' && key !== 'owner' && key !== 'name') reject(parameter, PARAMETERS);
    if (key !== 'name' && address.kind === 'tcp')
      throw new WrongValue(`${key} is for unix sockets only; remove ;${parameter}`);
    if (key === 'mode') spec = { ...spec, mode: readMode(value) };
    else if (key === 'owner') spec = { ...spec, owner: owner.parse(value, context) };
    else spec = { ...spec, name: readName(value) };
  }
  if (address.kind === 'unix' && Buffer.byteLength(address.path) > LONGEST_PATH_BYTES)
    throw new WrongValue(`the path of ${first} is longer than ${LONGEST_PATH_BYTES} bytes, the limit of Linux`);
  return spec;
}

/** `tcp://0.0.0.0:80, unix:///run/app.sock;mode=0660`. A semicolon begins a comment only after a space. */
export const listenList: DataType<readonly ListenSpec[]> = {
  name: 'address[;mode=…], …',
  hasSemicolons: true,
  parse: (value, context) => {
    const specs = wordList.parse(value, context).map((word) => readSpec(word, context));
    const seen = new Set<string>();
    for (const { address } of specs) {
      const text = formatSocketAddress(address);
      if (seen.has(text)) throw new WrongValue(`${text} is named twice; remove one`);
      seen.add(text);
    }
    return specs;
  },
  show: formatListen,
};
