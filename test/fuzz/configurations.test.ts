/**
 * Whole configurations: random files are accepted or refused, and mean the same, as in the installed Supervisor. Files
 * of one round are one question to Python.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareConfigs, ENV, type Outcome, readTexts } from '../conformance/config-comparison.ts';
import { bySize } from '../slow.ts';
import { shrinkListInBatches } from './guided.ts';
import { type Answer, askSupervisor, missingOracle } from './oracle.ts';
import { Random, SEED } from './random.ts';
import { ConfigurationMaker, type FileLine, joinLines, VARIABLES } from './random-configuration.ts';

const ROUND = bySize({ brief: 300, long: 1000 });
const FOR_MS = bySize({ brief: 1500, long: 150_000 });
const ALL_VARIABLES = { ...ENV, ...VARIABLES };

/** A difference from Supervisor that is intended. */
interface Known {
  readonly reason: string;
  /** `line`: a difference. `text`: all files. `real`: Supervisor's answer. */
  readonly explains: (line: string, text: string, real: Answer) => boolean;
}

interface Server {
  readonly host?: string;
  readonly password: string | null;
}

/** Every intended difference that these files can show. */
const KNOWN: readonly Known[] = [
  {
    reason: 'blanks and nothing in the value of a variable do no harm in environment; Supervisor splits it afterwards',
    explains: (line, text) =>
      (/environment|key\/value pairs/.test(line) &&
        /^environment.*(\n[ \t].*)*%\(ENV_(SPACED|EMPTY|P)\)/im.test(text)) ||
      // Values that [supervisord] sets. Other options may use the variable, too.
      (/^environment.*(\n[ \t].*)*%\(ENV_[AB]\)/im.test(text) && text.includes(`A="1 2",B='x,y'`)),
  },
  {
    reason: 'a TCP server without a password is opened on loopback, and left out if that is taken (CVE-2019-12105)',
    explains: (line, _text, { value }) =>
      line.startsWith('servers') &&
      (value as { servers: readonly Server[] }).servers.some(
        ({ host, password }) => host !== undefined && password === null,
      ),
  },
  {
    reason: '[supervisord] environment is expanded once, as in Supervisor 4.4; 4.3 expands it twice',
    explains: (line, text) => /environment/.test(line) && text.includes('%%'),
  },
  {
    reason:
      'blanks around the name of a listener are removed, as those of a program; no client could address its group',
    explains: (line, text) =>
      /^(groups|programs|order)/.test(line) && /\[eventlistener:(\s[^\]]*|[^\]]*\s)\]/.test(text),
  },
  {
    reason: 'with an [include], Supervisor replaces %(here)s before it looks for a slash in the name of a process',
    explains: (line, text) => /refuses: .*Invalid name/.test(line) && /^process_name.*%\(here\)s/im.test(text),
  },
  {
    reason: 'the same, also behind a percent sign: %%(here)s',
    explains: (_line, text) => text.includes('%%(here)s') && /^\[include\]/im.test(text),
  },
  {
    reason: 'two slashes at the beginning of a path are one; Python keeps them, and Linux does not tell them apart',
    explains: (line) => /expected "\/@HERE@.* got "@HERE@/.test(line),
  },
  {
    reason: 'a "%" without a name expands to all names; in an included file, here is the directory of that file',
    explains: (line) => line.includes("{'ENV_HOME'") || /argv\.\d+: expected "'?@HERE@/.test(line),
  },
  {
    reason:
      'socket and user of a [fcgi-program:x] have the names of a process and program (manual, "FastCGI programs")',
    explains: (line) => /refuses: .*'fcgi-program:[^']*\.(socket|user)' contains names/.test(line),
  },
  {
    reason: 'stopsignal is a list of signals (manual, "Stopping")',
    explains: (line) => /refuses: .*is not a valid signal name/.test(line),
  },
  {
    reason: 'options that exclude each other are not refused in a section without a process',
    explains: (line, text) =>
      /refuses: .*(section sets redirect_stderr=true|Cannot set stopasgroup=true)/.test(line) &&
      /^numprocs\s*[=:]\s*(-|0)/im.test(text),
  },
];

function compare(lines: readonly FileLine[], real: Answer): string[] {
  const { text, files } = joinLines(lines);
  const ours = readTexts({ text, files, env: ALL_VARIABLES, isStatic: false });
  const all = lines.map(({ line }) => line).join('\n');
  const isUnknown = (line: string): boolean => !KNOWN.some(({ explains }) => explains(line, all, real));
  if (real.ok && ours.ok === true) return compareConfigs(real.value as Outcome, ours).filter(isUnknown);
  if (!real.ok && ours.ok !== true) return [];
  const line = real.ok ? `we refuse: ${JSON.stringify(ours.errors)}` : `Supervisor refuses: ${real.error ?? ''}`;
  return isUnknown(line) ? [line] : [];
}

function ask(all: ReadonlyArray<readonly FileLine[]>): Answer[] {
  return askSupervisor(all.map((lines) => ({ what: 'files', ...joinLines(lines), env: ALL_VARIABLES })));
}

const compareAll = (all: ReadonlyArray<readonly FileLine[]>): string[][] => {
  const real = ask(all);
  return all.map((lines, index) => compare(lines, real[index] as Answer));
};

test('random files mean the same as in the installed Supervisor', { skip: missingOracle() }, (context) => {
  const random = new Random(SEED);
  const endMs = performance.now() + FOR_MS;
  let cases = 0;
  let accepted = 0;
  do {
    const all = Array.from({ length: ROUND }, () => new ConfigurationMaker(random).make());
    const real = ask(all);
    cases += all.length;
    accepted += real.filter(({ ok }) => ok).length;
    const wrong = all.filter((lines, index) => compare(lines, real[index] as Answer).length > 0);
    if (wrong.length > 0) report(wrong);
  } while (performance.now() < endMs);
  context.diagnostic(`${cases} configurations, of which ${accepted} are valid`);
});

/** Fails with the smallest of the files that differ. */
function report(wrong: ReadonlyArray<readonly FileLine[]>): never {
  const [first = []] = wrong.toSorted((a, b) => a.length - b.length);
  const smallest = shrinkListInBatches(first, (all) => compareAll(all).map((lines) => lines.length > 0));
  assert.fail(
    `TEST_SEED=${SEED}, ${wrong.length} configurations differ, such as ${JSON.stringify(joinLines(smallest))}:\n` +
      compareAll([smallest]).flat().join('\n'),
  );
}
