/** Python as a second opinion: the installed Supervisor (test/conformance/config-oracle.py), asked in batches. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** One question to the oracle. */
export interface Question {
  readonly what: string;
  readonly text: string;
  readonly path?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly names?: Readonly<Record<string, string | number>>;
}

/** An answer: a value, or a refusal. */
export interface Answer {
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error?: string;
}

function runPython(args: readonly string[], input: string): string {
  return execFileSync('/usr/bin/python3', ['-W', 'ignore', ...args], {
    input,
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
    maxBuffer: 1 << 28,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Returns the answers of the installed Supervisor. */
export function askSupervisor(questions: readonly Question[]): Answer[] {
  const script = join(import.meta.dirname, '../conformance/config-oracle.py');
  return JSON.parse(runPython([script], JSON.stringify(questions))) as Answer[];
}

/** Returns the answers of Python's xmlrpc.client. `what`: loads, dumps. */
export function askXmlRpc(questions: readonly Question[]): Answer[] {
  return JSON.parse(runPython([join(import.meta.dirname, 'xmlrpc-oracle.py')], JSON.stringify(questions))) as Answer[];
}

/** Reason to skip; false if Python and Supervisor are installed. */
export function missingOracle(): false | string {
  try {
    runPython(['-c', 'import supervisor.options'], '');
    return false;
  } catch {
    return '/usr/bin/python3 has no supervisor';
  }
}
