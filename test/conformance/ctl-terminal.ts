/**
 * Runs a client in a terminal: keys are sent when the expected text is on the screen. The result is the screen,
 * whichever control sequences have drawn it.
 */
import { spawn, spawnSync } from 'node:child_process';

/** Waits for a text (a regular expression) since the last keys, then types. */
export type Step = readonly [expected: string, keys: string];

/** The screen, and the exit code of the program, or minus the signal. */
export interface Screen {
  readonly lines: readonly string[];
  readonly code: number;
}

/** Options of a test that needs a terminal. */
export const needsTerminal =
  spawnSync('python3', ['-c', 'import pty']).status === 0
    ? {}
    : { skip: 'no python3 with the module pty on this machine' };

const DRIVER = `
import base64, fcntl, json, os, pty, re, select, struct, sys, termios, time
job = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.chdir(job['cwd'])
    os.execve(job['argv'][0], job['argv'], job['env'])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 60, 200, 0, 0))
log = seen = b''
def read(timeout):
    global log, seen
    if not select.select([fd], [], [], timeout)[0]: return True
    try: data = os.read(fd, 65536)
    except OSError: data = b''
    log += data; seen += data
    return data != b''
def fail(why):
    os.kill(pid, 9)
    sys.exit('%s; on the screen: %r' % (why, log))
for expected, keys in job['steps']:
    end = time.time() + job['patience']
    while not re.search(expected, re.sub(rb'\\x1b\\[[0-9;?]*[A-Za-z]', b'', seen).decode('utf8', 'replace')):
        if time.time() > end: fail('did not see %r' % expected)
        if not read(0.5): fail('ended before %r' % expected)
    seen = b''
    os.write(fd, keys.encode())
if job['isLeft']: os.kill(pid, 9)
end = time.time() + 60
while read(0.5):
    if time.time() > end: fail('did not end')
status = os.waitpid(pid, 0)[1]
print(json.dumps({'log': log.decode('utf8', 'replace'), 'code': os.waitstatus_to_exitcode(status)}))
`;

/** Options of a run in a terminal. */
export interface TerminalOptions {
  readonly cwd: string;
  readonly env?: Record<string, string>;
  /** Seconds to wait for the text of a step. */
  readonly patience?: number;
  /** True if the program is killed after the last step. */
  readonly isLeft?: boolean;
}

/** Runs a program in a terminal. Rejects with the screen if a step is not reached. */
export async function runInTerminal(
  argv: readonly string[],
  steps: readonly Step[],
  { cwd, env = {}, patience = 60, isLeft = false }: TerminalOptions,
): Promise<Screen> {
  const job = JSON.stringify({
    argv,
    steps,
    patience,
    cwd,
    isLeft,
    env: { PATH: process.env['PATH'], HOME: cwd, TERM: 'xterm', LC_ALL: 'C.UTF-8', ...env },
  });
  const child = spawn('python3', ['-c', DRIVER, job]);
  let output = '';
  let problem = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (problem += text));
  await new Promise((resolve) => child.on('close', resolve));
  if (problem !== '') throw new Error(problem);
  const { log, code } = JSON.parse(output) as { log: string; code: number };
  return { lines: drawScreen(log), code };
}

/** Returns the lines that a terminal shows after these characters. Implements what line editing needs. */
export function drawScreen(text: string): string[] {
  const lines: string[][] = [[]];
  let row = 0;
  let column = 0;
  for (const [token, parameter = '', final = ''] of text.matchAll(/\x1b\[([0-9;?]*)([A-Za-z])|\x1b[=>]|[^]/g)) {
    const line = (lines[row] ??= []);
    const count = Number(parameter === '' ? 1 : parameter);
    if (final !== '') {
      if (final === 'G') column = count - 1;
      else if (final === 'C') column += count;
      else if (final === 'D') column -= count;
      else if (final === 'A') row -= count;
      else if (final === 'K' || final === 'J') {
        line.length = Math.min(line.length, column);
        if (final === 'J') lines.length = row + 1;
      }
    } else if (token === '\r') column = 0;
    else if (token === '\b') column -= 1;
    else if (token === '\n') {
      row += 1;
      lines[row] ??= [];
    } else if (token !== '\x07' && !token.startsWith('\x1b')) {
      while (line.length < column) line.push(' ');
      line[column] = token;
      column += 1;
    }
  }
  return lines.map((line) => line.join('').trimEnd());
}
