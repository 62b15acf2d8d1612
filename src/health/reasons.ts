/** Texts for failed checks: errors of connections, and exits of commands. Pure. */
import { formatExit } from '../core/exit-status.ts';
import type { JobOutcome } from '../engine/ports.ts';

const LONGEST_REASON = 200;

const WORDS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection closed without an answer'],
  ['EPIPE', 'connection closed without an answer'],
  ['ETIMEDOUT', 'connection timed out'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'the network cannot be reached'],
  ['EADDRNOTAVAIL', 'the address cannot be reached'],
  ['ENOTFOUND', 'the host is not known'],
  ['EAI_AGAIN', 'the host cannot be looked up'],
  ['ENOENT', 'there is no such socket'],
  ['EACCES', 'permission denied'],
]);

/** Formats an error of a connection. */
export function describeConnectError({ code, message }: NodeJS.ErrnoException): string {
  if (code === undefined) return message;
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`;
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return `the certificate is not accepted (${code})`;
  return WORDS.get(code) ?? code;
}

/** Formats a timeout. */
export function describeTimeout(timeoutMs: number): string {
  return `no answer within ${timeoutMs / 1000} s`;
}

/** Formats the failure of a command: its last line of output, or its exit. Returns null for exit status 0. */
export function describeJob(outcome: Exclude<JobOutcome, { kind: 'cancelled' }>, timeoutMs: number): string | null {
  switch (outcome.kind) {
    case 'failed':
      return outcome.reason;
    case 'timeout':
      return describeTimeout(timeoutMs);
    case 'ended': {
      const { status } = outcome;
      if (status.kind === 'exited' && status.code === 0) return null;
      const line = lastLine(outcome.output);
      return line === '' ? formatExit(status) : line;
    }
  }
}

/** Returns the last line that is not empty, without control characters and cut to fit into a log line. */
export function lastLine(output: string): string {
  const lines = output.split(/[\r\n]+/).map((line) =>
    line
      .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '')
      .replace(/[\x00-\x1f\x7f-\x9f]/g, ' ')
      .trim(),
  );
  const line = lines.findLast((text) => text !== '') ?? '';
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line;
}
