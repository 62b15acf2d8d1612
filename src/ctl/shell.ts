/**
 * The interactive shell: shows the status, then reads and runs commands until `quit`, Ctrl-D or Ctrl-C. Also reads and
 * writes the history file.
 */
import { closeSync, constants, writeFileSync } from 'node:fs';
import { messageOf } from '../core/error-text.ts';
import { openTrusted } from '../files/links.ts';
import { readRegularFile } from '../files/read-file.ts';
import type { Command } from './command.ts';
import { completeLine } from './completion.ts';
import { runLine } from './dispatch.ts';
import { InterruptError } from './errors.ts';
import type { CtlIo } from './io.ts';
import type { Session } from './session.ts';

const HISTORY_FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK | constants.O_NOCTTY;
const MAX_HISTORY_BYTES = 16 * 1024 * 1024;

/** Runs the shell to its end. */
export async function runShell(
  session: Session,
  commands: ReadonlyMap<string, Command>,
  prompt: string,
): Promise<void> {
  const lines = await session.lines();
  lines.complete = (line) => completeLine(line, session.client.getAllProcessInfo);
  try {
    if (await runLine(session, commands, 'status')) return;
    for (;;) {
      session.interrupt = new AbortController();
      const line = await readCommand(session, `${prompt}> `);
      if (await runLine(session, commands, line ?? 'EOF')) return;
    }
  } catch (error) {
    if (!(error instanceof InterruptError)) throw error;
    session.output('');
  } finally {
    lines.close();
  }
}

/** Reads the next line. A SIGINT that does not come from the keyboard also ends the wait. */
async function readCommand(session: Session, prompt: string): Promise<string | null> {
  const { interrupt } = session;
  const unsubscribe = session.io.onInterrupt(() => interrupt.abort());
  try {
    return await session.readLine(prompt, interrupt.signal);
  } finally {
    unsubscribe();
  }
}

/** Reads the lines of a history file, the oldest first. */
export function readHistory(path: string): string[] {
  try {
    return readRegularFile(path, MAX_HISTORY_BYTES)
      .toString()
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    // As in readline, a history that cannot be read is empty. An error on writing is reported at the end.
    return [];
  }
}

/** Writes the history. Only the owner may read it, because it can contain secrets. */
export function writeHistory(io: CtlIo, path: string, lines: readonly string[]): void {
  try {
    const fd = openTrusted(path, HISTORY_FLAGS, 0o600);
    try {
      writeFileSync(fd, lines.map((line) => `${line}\n`).join(''));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    io.stderr.write(`cannot write the history ${path}: ${messageOf(error)}\n`);
  }
}
