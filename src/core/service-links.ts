/**
 * Detects variables that Kubernetes sets in every pod for each service of its namespace (`enableServiceLinks`, as
 * Docker did for links). Pure. A service whose name begins with ours creates variables that look like ours:
 * `ONEVISOR_PORT=tcp://10.0.0.1:80`.
 */

/** Approximate pattern for an IPv4 or IPv6 address. */
const ADDRESS = '(?:\\d{1,3}(?:\\.\\d{1,3}){3}|[\\da-fA-F.]*:[\\da-fA-F:.]+)';
const PORT = '\\d{1,5}';
const PROTOCOL = '(?:tcp|udp|sctp)';
const URL = `${PROTOCOL}://(?:${ADDRESS}|\\[${ADDRESS}\\]):${PORT}`;

/** Endings of the names of such variables, with the patterns of their values. */
const FORMS: ReadonlyArray<readonly [name: RegExp, value: RegExp]> = (
  [
    ['SERVICE_HOST', ADDRESS],
    ['SERVICE_PORT(?:_[A-Z0-9_]+)?', PORT],
    ['PORT', URL],
    ['PORT_\\d+_(?:TCP|UDP|SCTP)', URL],
    ['PORT_\\d+_(?:TCP|UDP|SCTP)_PROTO', PROTOCOL],
    ['PORT_\\d+_(?:TCP|UDP|SCTP)_PORT', PORT],
    ['PORT_\\d+_(?:TCP|UDP|SCTP)_ADDR', ADDRESS],
  ] as const
).map(([name, value]) => [new RegExp(`^[A-Z][A-Z0-9_]*_${name}$`), new RegExp(`^${value}$`)]);

/** True if a variable describes a service, by its name and its value. */
export function isServiceLink(name: string, value: string): boolean {
  return FORMS.some(([names, values]) => names.test(name) && values.test(value));
}
