/**
 * Following a log: copies the bytes of a log stream to our output until the stream ends or Ctrl-C. If the reader of our
 * output stalls, the copying waits, so nothing collects in memory.
 */
import type { Writable } from 'node:stream';
import { openLog, toConnectionError } from './transport.ts';
import { CtlError, InterruptError } from './errors.ts';
import type { Session } from './session.ts';

/** Prints the key that ends the following. */
export function announceFollowing(session: Session): void {
  session.output('==> Press Ctrl-C to exit <==');
}

/** Status of the answer if a process has no such log. */
const NO_LOG = 404;

/**
 * Follows the log at a path such as `/logtail/NAME/stdout`. With `isOptional`, a log that does not exist is no error.
 * Errors are printed to stderr and do not change the exit
 * code. Throws {@link InterruptError} when the signal is aborted.
 */
export async function followLog(
  session: Session,
  path: string,
  interrupt: AbortSignal,
  { isOptional = false }: { readonly isOptional?: boolean } = {},
): Promise<void> {
  const signal = AbortSignal.any([interrupt, session.gone]);
  const { stdout, stderr } = session.io;
  const { serverUrl } = session.endpoint;
  try {
    const response = await openLog(session.endpoint, path, signal);
    if (response.statusCode !== 200) {
      response.resume();
      if (isOptional && response.statusCode === NO_LOG) return;
      stderr.write(`${serverUrl}${path} Cannot read, status code ${response.statusCode ?? 0}\n`);
      return;
    }
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (!stdout.write(chunk)) await waitUntilWritten(stdout, signal);
    }
  } catch (caught) {
    const error =
      caught instanceof CtlError || caught instanceof InterruptError ? caught : toConnectionError(caught, signal);
    if (error instanceof InterruptError) {
      if (interrupt.aborted) throw error;
      return;
    }
    if (session.isForPeople) {
      for (const line of session.describe(error)) stderr.write(`${line}\n`);
      return;
    }
    const pythonClass = error instanceof CtlError ? error.pythonClass : error.name;
    stderr.write(`${serverUrl}${path} Cannot connect, error: <class '${pythonClass}'> (${error.message})\n`);
  }
}

/** Resolves when the stream accepts more data, or when the signal is aborted. */
export function waitUntilWritten(stream: Writable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      stream.off('drain', finish);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    stream.on('drain', finish);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}

/** Follows a log until Ctrl-C, then prints an empty line. */
export async function followUntilInterrupt(session: Session, path: string): Promise<void> {
  announceFollowing(session);
  try {
    await followLog(session, path, session.interrupt.signal);
  } catch (error) {
    if (!(error instanceof InterruptError)) throw error;
    session.output('');
  }
}
