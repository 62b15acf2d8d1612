/**
 * Finds the reason why the kernel did not execute a file, as far as the file shows it: its first line, or the header of
 * an ELF program. Reads the beginning of one regular file and executes nothing.
 */
import { statSync } from 'node:fs';
import { isElf, loaderOf } from '../files/file-head.ts';

/** Number of bytes in which a shell looks for a NUL, to tell scripts from programs. */
const SCRIPT_BYTES = 256;

/** Machines of ELF headers (elf.h), with the names of uname(1). */
const MACHINES: ReadonlyMap<number, string> = new Map([
  [3, 'i686'],
  [8, 'mips'],
  [20, 'ppc'],
  [21, 'ppc64'],
  [22, 's390x'],
  [40, 'arm'],
  [62, 'x86_64'],
  [183, 'aarch64'],
  [243, 'riscv64'],
  [258, 'loongarch64'],
]);
/** Names of uname(1) for architectures that Node names differently. */
const OURS: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686' };

/** Commands that only shells have, each with its replacement here. */
const SHELL_COMMANDS: ReadonlyMap<string, string> = new Map([
  ['source', ''],
  ['.', ''],
  ['export', 'write environment=NAME="value"'],
  ['ulimit', 'write rlimit_nofile=65536, or another rlimit_ option'],
  ['umask', 'write umask=022'],
  ['cd', 'write directory=/path'],
  ['exec', 'leave exec out'],
  ['eval', ''],
  ['set', ''],
  ['trap', ''],
  ['if', ''],
  ['for', ''],
  ['while', ''],
]);

/** True for a file that a shell would run as a script: text without the `#!` that the kernel needs. */
export function isPlainScript(head: Buffer): boolean {
  return !head.subarray(0, SCRIPT_BYTES).includes(0) && !isElf(head) && head.toString('latin1', 0, 2) !== '#!';
}

/** Explains why a command was not found, if its form shows the mistake. Null without an explanation. */
export function explainMissing(command: string): string | null {
  const assignment = /^([A-Za-z_]\w*)=/.exec(command)?.[1];
  if (assignment !== undefined)
    return (
      `only a shell takes ${assignment}=… for a variable: write environment=${assignment}="…" and begin the ` +
      'command with the program'
    );
  if (/^~[^/]/.test(command)) return `only a shell expands ~: write the whole path of that user's home`;
  if (command.startsWith('~')) return `only a shell expands ~: write %(ENV_HOME)s${command.slice(1)}`;
  const variable = /\$\{?([A-Za-z_]\w*)\}?/.exec(command);
  if (variable !== null)
    return `only a shell expands ${variable[0]}: write ${command.replace(variable[0], `%(ENV_${variable[1]})s`)}`;
  const instead = SHELL_COMMANDS.get(command);
  if (instead === undefined) return null;
  return `${command} is a command of shells: ${instead === '' ? '' : `${instead}, or `}run the whole line with sh -c`;
}

/** Explains why the exec of an existing file failed with this errno. Null if the file does not show the reason. */
export function explainExec(code: string, head: Buffer | null): string | null {
  switch (code) {
    case 'ENOENT':
      return head === null ? null : explainInterpreter(head);
    case 'ENOEXEC':
    case 'ELIBBAD':
      return head === null ? null : explainFormat(head);
    case 'EACCES':
      return head === null
        ? null
        : (explainInterpreter(head) ??
            'the user that it runs as has no permission, or the file system is mounted with noexec');
    case 'E2BIG':
      return 'its arguments and environment are too long';
    case 'ETXTBSY':
      return 'the file is still open for writing';
    default:
      return null;
  }
}

/**
 * Explains why a file with this beginning cannot be executed, before any try: a missing interpreter or loader, another
 * machine, or no program at all. Null if the file shows no reason. A text without `#!` is run by /bin/sh.
 */
export function explainHead(head: Buffer): string | null {
  if (head.length === 0) return null;
  return explainInterpreter(head) ?? (isPlainScript(head) || isNative(head) ? null : explainFormat(head));
}

/** Returns the program that `#!/usr/bin/env NAME` searches in PATH; null for other first lines. */
export function findEnvName(head: Buffer): string | null {
  return /^#!\s*\S*\/env[ \t]+([\w.+-]+)[ \t]*\r?\n/.exec(head.toString('latin1', 0, SCRIPT_BYTES))?.[1] ?? null;
}

/** True for a program of this machine, and for a script that names its interpreter. */
function isNative(head: Buffer): boolean {
  if (!isElf(head)) return /^#![ \t]*[^\s]/.test(head.toString('latin1', 0, SCRIPT_BYTES));
  return head.length < 20 || MACHINES.get(readMachine(head, head[5] !== 2)) === (OURS[process.arch] ?? process.arch);
}

/** Explains a missing interpreter of a script, or a missing loader of a program. */
function explainInterpreter(head: Buffer): string | null {
  if (isElf(head)) {
    const loader = loaderOf(head);
    if (loader === null || fileState(loader) === 'executable') return null;
    return (
      `its loader ${loader} does not exist: it was built for another C ` +
      `library${loader.includes('musl') ? ', musl (Alpine)' : ''}`
    );
  }
  const line = /^#!\s*(\S[^\n]*)/.exec(head.toString('utf8', 0, SCRIPT_BYTES))?.[1];
  if (line === undefined) return null;
  const interpreter = line.split(/[ \t\r]/)[0] ?? '';
  // The kernel takes the carriage return as part of the name.
  if (line.split(/[ \t]/)[0]?.endsWith('\r') === true)
    return (
      `its first line ends with a carriage return (Windows line ends), so "${interpreter}\\r" is looked for: ` +
      `save it with Unix line ends`
    );
  const state = fileState(interpreter);
  if (state === 'missing') return `its interpreter ${interpreter} (in its first line) does not exist`;
  return state === 'executable' ? null : `its interpreter ${interpreter} (in its first line) is not executable`;
}

function explainFormat(head: Buffer): string {
  if (isPlainScript(head))
    return 'it does not begin with #! and the path of its interpreter, and there is no /bin/sh to run it';
  if (head.toString('latin1', 0, 2) === '#!') return 'its first line names no interpreter, as #!/bin/sh does';
  if (!isElf(head)) return 'it is neither a program nor a script';
  const isLittle = head[5] !== 2;
  const machine = head.length < 20 ? 0 : readMachine(head, isLittle);
  const ours = OURS[process.arch] ?? process.arch;
  const theirs = MACHINES.get(machine) ?? `machine ${machine}`;
  return theirs === ours ? 'the program is damaged' : `it is a program for ${theirs}, and this machine is ${ours}`;
}

function readMachine(head: Buffer, isLittle: boolean): number {
  return isLittle ? head.readUInt16LE(18) : head.readUInt16BE(18);
}

function fileState(path: string): 'missing' | 'executable' | 'other' {
  try {
    const status = statSync(path);
    return status.isFile() && (status.mode & 0o111) !== 0 ? 'executable' : 'other';
  } catch {
    return 'missing';
  }
}
