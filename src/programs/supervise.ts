/**
 * The supervisor as a program: reads the command line and the configuration, refuses to start if they are invalid (exit
 * code 2), becomes a daemon on request, or runs the supervisor.
 */
import { isatty } from 'node:tty';
import { isClientCommand, typedCommands } from '../cli/commands.ts';
import { formatProblems } from '../config/effective.ts';
import { describeBareWords, type Flags, formatFlags, formatSupervisordUsage, parseFlags } from '../config/flags.ts';
import type { Reading } from '../config/model.ts';
import type { Scales } from '../supervisor/config-reader.ts';
import { nearestName } from '../config/nearest.ts';
import { readConfig } from '../config/read.ts';
import { openSource, readGivenFile, type Source } from '../config/source.ts';
import { showText } from '../core/shown-text.ts';
import { SUPERVISOR_VERSION } from '../core/supervisor-version.ts';
import { ListenError } from '../http/listen-error.ts';
import type { Addon } from '../native/addon.ts';
import { mountsThatMayHang } from '../files/remote-mounts.ts';
import { LimitError } from '../process/limits.ts';
import type { SignalIntake } from '../process/signals.ts';
import { SpawnError } from '../process/spawn-error.ts';
import { isCalledByOwnName, isFrozenWord } from '../startup/choose-program.ts';
import { detach, isDetached, readHandedOver } from '../startup/daemon.ts';
import { SupervisorFinder } from '../startup/find-supervisor.ts';
import { isCommandOfContainer } from '../startup/main-process.ts';
import { explicitMode, findMode, isMain, staysInForeground } from '../startup/mode.ts';
import { findRefusal, type StartRequest } from '../startup/refuse-start.ts';
import { writeTerminationLog } from '../supervisor/termination-log.ts';
import { type SuperviseIo, SupervisorRun } from './supervisor-run.ts';

/**
 * Warning for a supervisor that leaves its container. Some entrypoint scripts start a daemon on purpose, others by
 * mistake.
 */
const LEAVES_CONTAINER =
  'becoming a daemon, as nodaemon is not set; to stay in the foreground as the main process of a container, ' +
  'set nodaemon=true, or use -n or ONEVISOR_CONTAINER=1\n';

/** Exit code of a main program that does not exist, as in shells. */
const NOT_FOUND = 127;

/**
 * Returns a hint for a main program that does not exist, if a command of ours was probably meant: `docker run image
 * status`. Empty for other words.
 */
function hintForMissing(word: string): string {
  const name = nearestName(
    word,
    typedCommands.map((spec) => spec.name),
  );
  if (name === null) return '';
  const form = isFrozenWord(name) ? `onevisor ${name}` : `onevisor ctl ${name}`;
  return `there is no program ${showText(word)}; if the command of onevisor is meant: ${form}\n`;
}

/** Runs the supervisor. Resolves with the exit code of the process. Errors before the start go to standard error. */
export async function runSupervise(addon: Addon, io: SuperviseIo, signals: SignalIntake): Promise<number> {
  const takesWords = isCalledByOwnName(io.calledAs);
  const outcome = parseFlags(isDetached(io.args) ? io.args.slice(1) : io.args, takesWords ? 'take' : 'refuse');
  switch (outcome.kind) {
    case 'help':
      io.out(io.calledAs === 'supervisord' ? formatSupervisordUsage(io.calledPath) : formatFlags(io.calledAs));
      return 0;
    case 'version':
      io.out(`${SUPERVISOR_VERSION}\n`);
      return 0;
    case 'usage':
      return refuse(
        io,
        isMain({ ...io, flags: { isContainer: false } }),
        `Error: ${outcome.message}\nFor help, use ${io.calledAs} -h\n`,
      );
    case 'run':
      break;
  }
  const { flags } = outcome;
  const objection = flags.isCommandBare ? objectTo(addon, io, flags) : null;
  if (objection !== null) return refuse(io, io.self.pid === 1, objection);
  const refusal = isDetached(io.args) ? null : findRefusal(startRequest(addon, io, flags));
  // Only PID 1 ends its container. Another process must not write the reason that Kubernetes shows.
  if (refusal !== null) return refuse(io, io.self.pid === 1, refusal);
  const named = flags.file ?? io.env['ONEVISOR_CONF'];
  const given = isDetached(io.args) ? await readHandedOver(addon, io, named) : await readGivenFile(named);
  const readAs = (mode: boolean, scales: Scales = new Map(), others: Partial<Source> = {}): Reading =>
    readConfig(
      { ...openSource(io.env, addon, given), ...others },
      {
        isContainer: mode,
        isStatic: false,
        scales,
        flags,
        executable: io.calledPath,
      },
    );
  const { isContainer, leavesContainer, reading } = findMode({ ...io, flags }, readAs);
  if (reading.config === null) return refuse(io, isContainer, formatProblems(reading));
  const { config } = reading;
  if (!isContainer && !staysInForeground(config) && !isDetached(io.args)) {
    if (leavesContainer) io.err(LEAVES_CONTAINER);
    return detach(addon, io, config.supervisord, { given, signals });
  }
  holdLoop();
  try {
    // Programs run when the configuration is read again: no look at a file system may keep them waiting.
    const read = (scales: Scales): Reading => readAs(isContainer, scales, { mayHang: mountsThatMayHang() });
    const run = new SupervisorRun({ addon, io, reading: { ...reading, config }, read, isContainer, flags, signals });
    const code = await run.run();
    if (code === NOT_FOUND) io.err(hintForMissing(flags.command?.[0] ?? ''));
    return code;
  } catch (error) {
    if (!(error instanceof LimitError) && !(error instanceof SpawnError) && !(error instanceof ListenError))
      throw error;
    return refuse(io, isContainer, `Error: ${error.message}\n`);
  }
}

/** Returns the error for a command without `--` after options; null in the main process of a container. */
function objectTo(addon: Addon, io: SuperviseIo, flags: Flags): string | null {
  const [word = '', ...others] = flags.command ?? [];
  if (isFrozenWord(word))
    return (
      `Error: ${word} comes before its options; use \`${io.calledAs} ${word} …\`, or ` +
      `\`${io.calledAs} … -- ${word}\` to run a program of that name\n`
    );
  const mode = explicitMode({ ...io, flags });
  const { finder } = finderFor(addon, io);
  const isSupervised = (): boolean => finder.isContainerSupervised();
  if (isCommandOfContainer({ ...io, mode, isSupervised })) return null;
  if (isClientCommand(word)) {
    const options = io.args.slice(0, io.args.length - others.length - 1);
    const line = showText([io.calledAs, word, ...options, ...others].join(' '), 200);
    return `Error: ${word} comes before its options; use \`${line}\`\n`;
  }
  return `Error: ${describeBareWords([word, ...others])}\nFor help, use ${io.calledAs} -h\n`;
}

function startRequest(addon: Addon, io: SuperviseIo, flags: Flags): StartRequest {
  const { self, calledPath, calledAs } = io;
  const { source, finder } = finderFor(addon, io);
  const isOnTerminal = isatty(0) && isatty(1);
  return { flags, source, self, calledPath, calledAs, isOnTerminal, runningPid: () => finder.runningPid() };
}

/** Returns the finder of other supervisors in this container. */
function finderFor(
  addon: Addon,
  { env, self, calledPath }: SuperviseIo,
): { readonly source: Source; readonly finder: SupervisorFinder } {
  const source = openSource(env, null);
  const { pid, uid } = self;
  const finder = new SupervisorFinder({ env, cwd: source.cwd, pid, uid, calledAs: calledPath, peers: () => addon });
  return { source, finder };
}

/** Writes the reason of a refused start to standard error, and to the termination log of a container. Returns 2. */
function refuse(io: SuperviseIo, isContainer: boolean, text: string): number {
  io.err(text);
  if (isContainer) writeTerminationLog(text, () => undefined);
  return 2;
}

/**
 * Keeps Node's loop alive until the process ends. Waiting for signals does not keep the loop alive, and there may be
 * nothing else: no program, or only a main program with our own streams. A message port needs no timer, so the loop
 * does not wake up for it.
 */
function holdLoop(): void {
  setInterval(() => undefined, 2 ** 31 - 1);
}
