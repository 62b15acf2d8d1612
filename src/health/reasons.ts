/**
 * Why a check has failed, in a few words for people: for errors of connections and for ends of commands. Pure.
 * It does not decide what is a failure, save that a command passes with 0.
 */
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

/** What an error of a connection means. */
export function describeConnectError({ code, message }: NodeJS.ErrnoException): string {
  if (code === undefined) return message;
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`;
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return `the certificate is not accepted (${code})`;
  return WORDS.get(code) ?? code;
}

/** What a check that came to no end in time is told as. */
export function describeTimeout(timeoutMs: number): string {
  return `no answer within ${timeoutMs / 1000} s`;
}

/**
 * Why a command says that all is not well: the last line that it wrote, or how it ended. Null where it says that all is
 * well.
 */
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

/** The last line with something in it, fit to stand within a line of a log. */
function lastLine(output: string): string {
  const lines = output.split(/[\r\n]+/).map((line) =>
    line
      .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '')
      .replace(/[\x00-\x1f\x7f-\x9f]/g, ' ')
      .trim(),
  );
  const line = lines.findLast((text) => text !== '') ?? '';
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line;
}
