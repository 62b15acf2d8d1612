/**
 * Reads the URL of a log server: `syslog+tls://logs.example.org:6514?ca=/etc/ssl/logs.pem&facility=local3&tag=web`.
 * Pure; look-ups go through the context.
 */
import { FACILITIES, type LogServer, type MessageForm, type ServerTrust } from '../core/log-server.ts';
import { type Context, reject, WrongValue } from './datatype.ts';
import { absolutePath, parseBoolean } from './datatypes.ts';
import { formatSuggestion } from './nearest.ts';

const SYSLOG_PORT = 514;
/** RFC 5425. */
const TLS_PORT = 6514;
const SERVER = /^syslog(?:\+(udp|tcp|tls))?:\/\/(?:\[([^\]]*)\]|([^:/?#@[\]\s]+))(?::(\d+))?\/?(?:\?([^]*))?$/i;
const SERVER_WANTED =
  'a log server: syslog://host[:port] (UDP), syslog+udp://host[:port], syslog+tcp://host[:port] or ' +
  'syslog+tls://host[:port], port 1 to 65535 (514 without one, 6514 for TLS), an IPv6 address in brackets: ' +
  'syslog://[::1]:514, and options: ?facility=local3&tag=web';

/** Reads one option of a URL. Returns null for a wrong value. */
type Reader = (value: string, context: Context) => string | boolean | null;

/** An option, and the values that it takes, in words. */
interface UrlOption {
  readonly read: Reader;
  readonly wanted: string;
}

const file: UrlOption = {
  read: (value, context) => {
    const path = value === '' ? '' : absolutePath(value, context);
    return path === '' || context.host?.isFile(path) === false ? null : path;
  },
  wanted: 'a file that exists',
};

const word = (pattern: RegExp, wanted: string): UrlOption => ({
  read: (value) => (pattern.test(value) ? value : null),
  wanted,
});

const PARAMETER = String.raw`[^\x00-\x20=\]"\x7f-\uffff]{1,32}="(?:[^"\\\]\x00-\x1f]|\\["\\\]])*"`;
const ELEMENT = String.raw`\[[^\x00-\x20=\]"\x7f-\uffff]{1,32}(?: ${PARAMETER})*\]`;

/** Options of the messages. */
const FORM: Readonly<Record<keyof MessageForm, UrlOption>> = {
  facility: {
    read: (value) => (Object.hasOwn(FACILITIES, value.toLowerCase()) ? value.toLowerCase() : null),
    wanted: `one of ${Object.keys(FACILITIES).join(', ')}`,
  },
  tag: word(/^[!-9;-Z\\^-~]{1,32}$/, 'a name of 1 to 32 visible characters without ":", "[" and "]"'),
  sd: word(
    new RegExp(`^(?:${ELEMENT})+$`),
    'structured data of RFC 5424, for example [app@32473 env="prod"]; in a value, write \\" \\] and \\\\',
  ),
  format: { read: (value) => /^(?:rfc)?(3164|5424)$/i.exec(value)?.[1] ?? null, wanted: '3164 or 5424' },
};

/** Options of a connection with TLS. */
const TRUST: Readonly<Record<keyof ServerTrust, UrlOption>> = {
  ca: file,
  cert: file,
  key: file,
  name: word(/^[\w.:-]+$/, 'the name in the certificate of the server'),
  verify: { read: parseBoolean, wanted: 'true or false' },
};

const ALL: ReadonlyMap<string, UrlOption> = new Map(Object.entries({ ...FORM, ...TRUST }));

/** Reads the URL of a log server. Throws {@link WrongValue}, also for a text that only begins like one. */
export function readLogServer(value: string, context: Context): LogServer {
  const match = SERVER.exec(value);
  const [, scheme = 'udp', address, name, digits, query] = match ?? [];
  const protocol = scheme.toLowerCase() as LogServer['protocol'];
  const usual = protocol === 'tls' ? TLS_PORT : SYSLOG_PORT;
  const port = digits === undefined ? usual : Number(digits);
  const isAddress = address === undefined || URL.canParse(`http://[${address.replace(/%\w+$/, '')}]`);
  if (match === null || !isAddress || port < 1 || port > 65_535) reject(value, SERVER_WANTED);
  const server = { protocol, host: (address ?? name ?? '').toLowerCase(), port };
  return query === undefined ? server : { ...server, ...readOptions(query, protocol, context) };
}

function readOptions(
  query: string,
  protocol: LogServer['protocol'],
  context: Context,
): Pick<LogServer, 'form' | 'trust'> {
  const form: Record<string, unknown> = {};
  const trust: Record<string, unknown> = {};
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase();
    const option = ALL.get(name);
    if (option === undefined)
      throw new WrongValue(
        `"${name}" is not an option of a log server${formatSuggestion(name, [...ALL.keys()])}; there are ` +
          `${Object.keys(FORM).join(', ')}, and for TLS ${Object.keys(TRUST).join(', ')}`,
      );
    const isTrust = Object.hasOwn(TRUST, name);
    if (isTrust && protocol !== 'tls') throw new WrongValue(`${name}= is for syslog+tls:// only`);
    const text = decode(equals === -1 ? '' : part.slice(equals + 1));
    const read = text === null ? null : option.read(text, context);
    if (read === null) throw new WrongValue(`${part.trim()} is not ${name}= and ${option.wanted}`);
    (isTrust ? trust : form)[name] = read;
  }
  checkTogether(form, trust);
  return {
    ...(Object.keys(form).length === 0 ? {} : { form }),
    ...(Object.keys(trust).length === 0 ? {} : { trust }),
  };
}

/** Checks options that depend on each other. */
function checkTogether(form: MessageForm, trust: ServerTrust): void {
  if (form.sd !== undefined && form.format === '3164')
    throw new WrongValue('sd= is for messages of RFC 5424; remove it, or remove format=3164');
  if ((trust.cert === undefined) !== (trust.key === undefined))
    throw new WrongValue('cert= and key= go together: the certificate and its key; both may be one file');
}

/** Decodes `%26` and the like. Null: the text is not UTF-8, or a percent sign stands alone. */
function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return null;
  }
}
