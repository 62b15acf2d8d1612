/**
 * The causes of starts, stops and exits: the person, rule or event that asked. All views, logs and metrics take the
 * cause from here, with the same words. Pure.
 */
import { type ExitCause, formatCause } from './exit-policy.ts';
import { formatUnready } from './run-failure.ts';
import { showText } from './shown-text.ts';
import { formatSignal } from './signals.ts';

/**
 * A client of the supervisor. `unix`, `tcp`: through a socket. `page`: a button of the web page. `plugin`: a module of
 * `[rpcinterface:x]`.
 */
export interface Client {
  readonly door: 'unix' | 'tcp' | 'page' | 'plugin';
  /** User name of the HTTP password; null if the server has no password. */
  readonly user: string | null;
  /** The other end of the connection: `uid 0, pid 77` or `10.0.0.7`. The name of a plug-in. */
  readonly peer: string;
}

/** A request of a client. */
export interface ClientRequest {
  readonly kind: 'request';
  /** Name of the XML-RPC method, such as `supervisor.stopProcess`. */
  readonly method: string;
  readonly client: Client;
}

/**
 * A signal that the supervisor has received. `sender`: pid of the sender; 0 if it is unknown. `sentAs`: another signal
 * that the program got in its place.
 */
export interface SignalCause {
  readonly kind: 'signal';
  readonly signal: number;
  readonly sender: number;
  readonly sentAs?: number;
}

/** The cause of a start or of a stop. */
export type Cause =
  /** The supervisor has started, or has read a new configuration and started again. */
  | { readonly kind: 'boot' }
  | ClientRequest
  /** The supervisor has passed the signal on to the program. */
  | SignalCause
  | { readonly kind: 'schedule' }
  /** The first connection to a socket of `listen` (`listen_lazy`). */
  | { readonly kind: 'connection'; readonly address: string }
  /**
   * The dependencies that the start waited for are met. `request`: the cause of the start that had to wait. Null: a
   * restart, because new runs of the dependencies have met their conditions.
   */
  | { readonly kind: 'dependency'; readonly names: readonly string[]; readonly request: Cause | null }
  /** A health check with `healthcheck_action=restart`. */
  | { readonly kind: 'health'; readonly reason: string }
  | { readonly kind: 'memory'; readonly bytes: number; readonly limitBytes: number }
  /** `limitMs`: null if the program itself has asked (WATCHDOG=trigger). */
  | { readonly kind: 'watchdog'; readonly limitMs: number | null }
  /** Watched files have changed: this one, and a number of others. */
  | { readonly kind: 'file'; readonly path: string; readonly others: number }
  /** The program was not ready within `ready_timeout`. */
  | { readonly kind: 'notReady'; readonly limitMs: number }
  /** A rule of the program. `retry`: a failed start is tried again (`startretries`). */
  | { readonly kind: 'policy'; readonly rule: 'autorestart' | 'retry' }
  /** An event listener has broken the protocol. */
  | { readonly kind: 'protocol' }
  /** The supervisor shuts down, or restarts with a new configuration. */
  | { readonly kind: 'shutdown'; readonly goal: 'exit' | 'restart'; readonly cause: ExitCause };

const MB = 1024 * 1024;

/** Formats a size, rounded up, so that a size above a limit never looks equal to the limit. */
function formatMegabytes(bytes: number): string {
  return `${Math.ceil((bytes / MB) * 10) / 10} MB`;
}

/** Formats a client: `admin (uid 0, pid 77)`, `10.0.0.7 over TCP`, `the web page (10.0.0.7)`. */
export function formatClient({ door, user, peer }: Client): string {
  const name = user === null ? '' : `user ${user}, `;
  switch (door) {
    case 'unix':
      return `a client (${name}${peer})`;
    case 'tcp':
      return `a client over TCP (${name}${peer})`;
    case 'page':
      return `the web page (${name}${peer})`;
    case 'plugin':
      return `the plug-in ${peer}`;
  }
}

/** Maximum number of characters of a path in a message. */
const PATH_LENGTH = 256;

/** Formats changed files: `/app/main.py has changed`. */
function formatChange({ path, others }: Extract<Cause, { kind: 'file' }>): string {
  const shown = showText(path, PATH_LENGTH);
  if (others === 0) return `${shown} has changed`;
  return `${shown} and ${others === 1 ? 'another file have' : `${others} other files have`} changed`;
}

/** The cause of a restart that a monitor has decided on. */
export type Decision = Extract<Cause, { kind: 'health' | 'memory' | 'watchdog' | 'file' }>;

/** Formats the reason of a restart that a monitor has decided on, for the log and for people. */
export function formatDecision(cause: Decision): string {
  switch (cause.kind) {
    case 'health':
      return `unhealthy: ${cause.reason}`;
    case 'memory':
      return `uses ${formatMegabytes(cause.bytes)}, more than max_memory (${formatMegabytes(cause.limitBytes)})`;
    case 'watchdog':
      return cause.limitMs === null ? 'it sent WATCHDOG=trigger' : `no WATCHDOG=1 for ${cause.limitMs / 1000} seconds`;
    case 'file':
      return formatChange(cause);
  }
}

/** Formats a cause in a few words, to follow `started: ` or `stopped: `. */
export function formatCauseOf(cause: Cause): string {
  switch (cause.kind) {
    case 'boot':
      return 'autostart';
    case 'request':
      return `${cause.method} of ${formatClient(cause.client)}`;
    case 'signal': {
      const { signal, sender, sentAs = signal } = cause;
      const as = sentAs === signal ? '' : `, sent on as ${formatSignal(sentAs)}`;
      return `${formatSignal(signal)}${sender > 0 ? ` from pid ${sender}` : ''}${as}`;
    }
    case 'schedule':
      return 'its schedule (cron)';
    case 'connection':
      return `a connection to ${cause.address}`;
    case 'dependency':
      if (cause.request === null)
        return `${cause.names.join(', ')} ${cause.names.length === 1 ? 'has' : 'have'} a new run (depends_on)`;
      return `${formatCauseOf(cause.request)}, after it waited for ${cause.names.join(', ')}`;
    case 'health':
    case 'memory':
    case 'watchdog':
    case 'file':
      return formatDecision(cause);
    case 'notReady':
      return formatUnready(cause.limitMs);
    case 'policy':
      return cause.rule === 'autorestart' ? 'autorestart' : 'another try (startretries)';
    case 'protocol':
      return 'it broke the protocol of event listeners';
    case 'shutdown':
      return `${cause.goal === 'exit' ? 'shutdown' : 'restart'} of the supervisor: ${formatCause(cause.cause)}`;
  }
}

/** True for a start that no person, schedule or configuration has asked for. */
export function isAutomatic(cause: Cause): boolean {
  return cause.kind === 'policy' || cause.kind === 'health' || cause.kind === 'memory' || cause.kind === 'watchdog';
}
