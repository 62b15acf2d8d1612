/** Shows a text in the pager of the user: `$PAGER`, or less or more. The pager has our terminal meanwhile. */
import { createWriteStream } from 'node:fs';
import { errnoOf } from '../core/error-text.ts';
import { parseWaitStatus, shellExitCode } from '../core/exit-status.ts';
import { signalNumbers } from '../core/signals.ts';
import { type Addon, INHERITED } from '../native/addon.ts';
import { findCommand } from '../process/command.ts';
import { describeSpawnFailure, isSpawnFailure, SpawnError } from '../process/spawn-error.ts';
import { ChildWait } from './child-wait.ts';

/** Pagers to try without `$PAGER`. */
const USUAL = ['less', 'more'] as const;
/** Characters that only a shell understands. */
const FOR_SHELL = /[|&;<>()$`\\"'*?[#~=%\n]/;
/** Exit codes of shells and of exec(3) if there is no such command. */
const NOT_STARTED: ReadonlySet<number> = new Set([126, 127]);
/** Time after which a pager that must end is killed, in milliseconds. */
const PATIENCE_MS = 1000;

/** Runs the pager, and resolves at its end with a problem for the user, or null. The signal ends the pager. */
export async function runPager(
  addon: Addon,
  text: string,
  env: Readonly<NodeJS.ProcessEnv>,
  signal: AbortSignal,
): Promise<string | null> {
  let started: { readonly pid: number; readonly stdin: number | null };
  try {
    started = start(addon, env);
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    return `no pager: ${error.message}; set PAGER`;
  }
  const { pid, stdin } = started;
  const wait = new ChildWait(addon, pid);
  const input = createWriteStream('', { fd: stdin ?? 0 });
  let problem: string | null = null;
  input.on('error', (error) => {
    // A pager that ends before it has read everything is usual.
    if (errnoOf(error) !== 'EPIPE') problem = `cannot write to the pager: ${error.message}`;
  });
  input.end(text);
  let killing: NodeJS.Timeout | undefined;
  const end = (): void => {
    addon.kill(pid, signalNumbers.SIGTERM);
    killing = setTimeout(() => addon.kill(pid, signalNumbers.SIGKILL), PATIENCE_MS);
  };
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  const code = shellExitCode(parseWaitStatus(await wait.ended));
  signal.removeEventListener('abort', end);
  clearTimeout(killing);
  wait.stop();
  if (NOT_STARTED.has(code)) return `PAGER=${env['PAGER'] ?? ''} cannot be run: exit code ${code}`;
  return problem;
}

function start(
  addon: Addon,
  env: Readonly<NodeJS.ProcessEnv>,
): { readonly pid: number; readonly stdin: number | null } {
  const { file, argv } = findPager(env);
  const variables = { LESS: 'R', ...env };
  try {
    return addon.spawn({
      ...INHERITED,
      file,
      argv,
      env: Object.entries(variables).map(([name, value]) => `${name}=${value ?? ''}`),
      stdin: 'pipe',
      stdout: 1,
      stderr: 2,
      // The terminal signals the pager and us together: Ctrl-Z stops both.
      leadership: 'none',
    });
  } catch (error) {
    if (!isSpawnFailure(error)) throw error;
    throw describeSpawnFailure(error, { name: file, command: argv[0] ?? '', directory: null, uid: null, cause: null });
  }
}

/** Finds the file and the arguments of the pager. Throws {@link SpawnError}. */
function findPager(env: Readonly<NodeJS.ProcessEnv>): { readonly file: string; readonly argv: readonly string[] } {
  const place = { programPath: null, ownPath: env['PATH'], directory: null };
  const chosen = (env['PAGER'] ?? '').trim();
  if (FOR_SHELL.test(chosen)) return { file: findCommand('sh', place), argv: ['sh', '-c', chosen] };
  if (chosen !== '') {
    const argv = chosen.split(/\s+/);
    return { file: findCommand(argv[0] ?? '', place), argv };
  }
  const [first, second] = USUAL;
  try {
    return { file: findCommand(first, place), argv: [first] };
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    return { file: findCommand(second, place), argv: [second] };
  }
}
