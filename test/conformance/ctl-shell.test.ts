/**
 * The interactive shell in a terminal: the same keys for Supervisor's supervisorctl and ours result in the same screen.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  findFreePort,
  ourClient,
  needsSupervisor,
  normalise,
  realCommand,
  runOurs,
  startWorld,
  until,
  type World,
} from './ctl-world.ts';
import { needsTerminal, runInTerminal, type Screen, type Step } from './ctl-terminal.ts';

const PORT = await findFreePort();
const PROGRAMS = `
[program:run]
command=/bin/sh -c 'echo hello; exec sleep 10000'
startsecs=0
[program:cat]
command=/bin/cat
startsecs=0
[program:stubborn]
command=/bin/sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done'
stopwaitsecs=200
autorestart=false
startsecs=0
[program:many]
command=sleep 10000
process_name=%(program_name)s_%(process_num)02d
numprocs=2
startsecs=0
`;

/** The prompt at the beginning of a line. The editor draws it again within a line. */
const PROMPT = '\\n\\w+> $';
const CTRL_C = '\x03';
const CTRL_D = '\x04';

/** Texts of our client for people, and the texts of Supervisor's client that they replace. Only on a terminal. */
const FOR_PEOPLE: ReadonlyArray<readonly [ours: RegExp, real: string]> = [
  [/additions \(type help additions [^]*? matches one\.\n\n/g, ''],
  [/Error: the input has ended before an answer/g, "error: <class 'EOFError'>,"],
  [/Error: no supervisor answers at (\S+) \(from open\): there is no such socket\nIs .*\n/g, '$1 no such file\n'],
];

function withoutAdditions(lines: readonly string[]): string[] {
  return FOR_PEOPLE.reduce((text, [ours, real]) => text.replace(ours, real), lines.join('\n')).split('\n');
}

const SCENES: ReadonlyArray<{ name: string; args?: readonly string[]; steps: readonly Step[] }> = [
  {
    name: 'commands, an empty line, quit',
    steps: [
      [PROMPT, 'status run\r'],
      [PROMPT, '\r'],
      [PROMPT, 'nosuch thing\r'],
      [PROMPT, 'pid run nosuch\r'],
      [PROMPT, '  help   quit \r'],
      [PROMPT, 'quit\r'],
    ],
  },
  {
    name: 'Ctrl-D',
    steps: [
      [PROMPT, 'pid\r'],
      [PROMPT, CTRL_D],
    ],
  },
  {
    name: 'Ctrl-C',
    steps: [
      [PROMPT, 'pid\r'],
      [PROMPT, CTRL_C],
    ],
  },
  {
    name: 'Ctrl-C in a line',
    steps: [
      [PROMPT, 'stat'],
      ['stat', CTRL_C],
    ],
  },
  { name: 'exit', steps: [[PROMPT, 'exit now\r']] },
  { name: 'EOF as a word', steps: [[PROMPT, 'EOF\r']] },
  {
    name: 'editing',
    steps: [
      [PROMPT, 'pidd\x7f ruNN'],
      ['ruNN', '\x7f\x7fn\r'],
      [PROMPT, 'versionn\x1b[D\x1b[3~\r'],
      [PROMPT, 'helpp\x15?\r'],
      [PROMPT, 'xx\x01\x0bpid\r'],
      [PROMPT, CTRL_D],
    ],
  },
  {
    name: 'history',
    steps: [
      [PROMPT, 'pid run\r'],
      [PROMPT, 'version\r'],
      [PROMPT, '\x1b[A\x1b[A'],
      ['pid run', '\r'],
      [PROMPT, CTRL_D],
    ],
  },
  {
    name: 'Tab',
    steps: [
      [PROMPT, 'ver\t'],
      ['version $', '\r'],
      [PROMPT, 'pid ru\t'],
      ['pid run $', '\r'],
      [PROMPT, 'status ma\t'],
      ['ny:', 'many_01\r'],
      [PROMPT, 'help sig\t'],
      ['signal $', '\r'],
      [PROMPT, 'signal CONT ru\t'],
      ['run $', '\r'],
      [PROMPT, CTRL_D],
    ],
  },
  {
    name: 'tail -f',
    steps: [
      [PROMPT, 'tail -f run\r'],
      ['hello', CTRL_C],
      [PROMPT, 'tail -f nosuch\r'],
      [PROMPT, 'pid\r'],
      [PROMPT, CTRL_D],
    ],
  },
  { name: 'tail -f alone', args: ['tail', '-f', 'run'], steps: [['hello', CTRL_C]] },
  {
    name: 'questions',
    steps: [
      [PROMPT, 'reload\r'],
      ['y/N\\? $', 'n\r'],
      [PROMPT, 'shutdown\r'],
      ['y/N\\? $', '\r'],
      [PROMPT, 'shutdown x\r'],
      [PROMPT, 'reload\r'],
      ['y/N\\? $', CTRL_D],
      [PROMPT, CTRL_D],
    ],
  },
  {
    name: 'Ctrl-C in a question',
    steps: [
      [PROMPT, 'reload\r'],
      ['y/N\\? $', CTRL_C],
    ],
  },
  {
    name: 'password',
    args: ['-s', `http://127.0.0.1:${PORT}`],
    steps: [
      ['Username:$', 'u\r'],
      ['Password:\\s*$', 'wrong\r'],
      ['Username:$', 'u\r'],
      ['Password:\\s*$', 'p:w\r'],
      [PROMPT, 'pid\r'],
      [PROMPT, CTRL_D],
    ],
  },
  {
    name: 'password for a command',
    args: ['-s', `http://127.0.0.1:${PORT}`, '-i', 'pid'],
    steps: [
      ['Username:$', 'u\r'],
      ['Password:\\s*$', 'p:w\r'],
    ],
  },
  {
    name: 'another server',
    steps: [
      [PROMPT, 'open unix:///nonexistent.sock\r'],
      [PROMPT, 'pid\r'],
      [PROMPT, 'open foo\r'],
      [PROMPT, CTRL_D],
    ],
  },
];

describe('the shell in a terminal', { ...needsSupervisor, ...needsTerminal }, () => {
  let world: World;
  before(async () => {
    world = await startWorld(PROGRAMS, PORT);
    await until(async () => (await world.supervisor.readProcessLog('stubborn', 'stdout', 0, 0)).includes('ready'));
  });
  after(() => world.stop());

  const play = async (
    argv: readonly string[],
    args: readonly string[],
    steps: readonly Step[],
    { patience = 60, isLeft = false },
  ): Promise<Screen> => {
    // The output of `fg` begins with the log of earlier runs.
    await world.supervisor.clearProcessLogs('cat');
    const { lines, code } = await runInTerminal([...argv, ...world.select, ...args], steps, {
      cwd: world.directory,
      patience,
      isLeft,
    });
    // The moment of Ctrl-C decides if the real client prints this.
    const text = lines.join('\n').replace(/unix:\S+ Cannot connect, error: <class 'KeyboardInterrupt'> \(\)/, '');
    return {
      lines: normalise(text)
        .split('\n')
        .map((line) => line.trimEnd()),
      code,
    };
  };
  /**
   * Repeats the keys for the real client, which sometimes loses a Ctrl-C between its prompt and its editor. Ours has
   * one try.
   */
  const playReal = async (
    args: readonly string[],
    steps: readonly Step[],
    isLeft = false,
    tries = 6,
  ): Promise<Screen> => {
    const isLast = tries === 1;
    try {
      return await play(realCommand, args, steps, { isLeft, patience: isLast ? 60 : 8 });
    } catch (error) {
      if (isLast) throw error;
      return playReal(args, steps, isLeft, tries - 1);
    }
  };
  const playOurs = (args: readonly string[], steps: readonly Step[]): Promise<Screen> =>
    play([ourClient], args, steps, {});

  for (const { name, args = [], steps } of SCENES) {
    it(name, async () => {
      const real = await playReal(args, steps);
      const ours = await playOurs(args, steps);
      assert.deepEqual({ ...ours, lines: withoutAdditions(ours.lines) }, real);
    });
  }

  it('fg', async () => {
    const steps: Step[] = [
      [PROMPT, 'fg cat\r'],
      ['exit <==', 'one\r'],
      ['one\\s+one', 'two\r'],
      ['two\\s+two', CTRL_C],
      [PROMPT, 'pid cat\r'],
    ];
    const ours = await playOurs([], [...steps, [PROMPT, CTRL_D]]);
    assert.deepEqual(
      ours.lines.slice(-10),
      [
        'supervisor> fg cat',
        '==> Press Ctrl-C to exit <==',
        'one',
        'one',
        'two',
        'two',
        'Exiting foreground',
        'supervisor> pid cat',
        'PID',
        'supervisor>',
        '',
      ].slice(-10),
    );
    assert.equal(ours.code, 0);
    // The echo of the terminal and the threads of the real client are not synchronized. Input between two lines is
    // shown twice, Ctrl-C as ^C or not at all, and any of these on one line. Also, the real client waits for its own
    // threads at the end.
    const real = await playReal([], [...steps, [PROMPT, '']], true);
    const isTyped = (line: string): boolean => /^(one|two|\^C)*$/.test(line);
    // One of its threads may close a connection that another one uses, which it reports with the words of the exception
    // that Python happens to raise there: on a line of its own, or behind the prompt.
    const withoutCrashes = real.lines.join('\n').replace(/(\S+ Cannot connect, )?error: <class '[\w.]+'>.*\n/g, '');
    assert.deepEqual(
      withoutCrashes
        .split('\n')
        .map((line) => line.replace(/^(one|two|\^C)*Exiting/, 'Exiting'))
        .filter((line) => !isTyped(line)),
      ours.lines.filter((line) => !isTyped(line)),
    );
  });

  it('a cancelled line in fg does not appear in the next one', async () => {
    const { lines } = await playOurs(
      [],
      [
        [PROMPT, 'fg cat\r'],
        ['exit <==', 'part'],
        ['part$', CTRL_C],
        [PROMPT, 'pid cat\r'],
        [PROMPT, CTRL_D],
      ],
    );
    assert.deepEqual(lines.slice(-5), ['partExiting foreground', 'supervisor> pid cat', 'PID', 'supervisor>', '']);
  });

  it('Ctrl-C ends a waiting command and the shell', async () => {
    const steps: Step[] = [
      [PROMPT, 'stop run stubborn\r'],
      ['run: stopped', CTRL_C],
    ];
    const real = await playReal([], steps);
    await world.supervisor.signalProcess('stubborn', 'KILL');
    await until(async () => (await world.supervisor.getProcessInfo('stubborn')).pid === 0);
    const log = await world.supervisor.readProcessLog('stubborn', 'stdout', 0, 0);
    await world.supervisor.startProcess('stubborn');
    // Before it is ready it would obey SIGTERM.
    await until(async () => (await world.supervisor.readProcessLog('stubborn', 'stdout', 0, 0)).length > log.length);
    await world.supervisor.startProcess('run');
    assert.deepEqual(await playOurs([], steps), real);
    await world.supervisor.startProcess('run');
  });

  it('stores the history in a file that only its owner can read', async () => {
    const file = join(world.directory, 'history');
    const config = join(world.directory, 'history.conf');
    writeFileSync(
      config,
      `[supervisorctl]\nserverurl=unix://${world.directory}/s.sock\nprompt=p\nhistory_file=${file}\n`,
    );
    // The real client ignores -r.
    for (const argv of [
      [...realCommand, '-c', config],
      [ourClient, '-c', config],
      [ourClient, ...world.select, '-r', file],
    ]) {
      rmSync(file, { force: true });
      await runInTerminal(
        argv,
        [
          [PROMPT, 'pid run\r'],
          [PROMPT, 'version\r'],
          [PROMPT, CTRL_D],
        ],
        { cwd: world.directory },
      );
      assert.equal(readFileSync(file, 'utf8'), 'pid run\nversion\n');
      assert.equal(statSync(file).mode & 0o777, 0o600);
      await runInTerminal(
        argv,
        [
          [PROMPT, '\x1b[A\x1b[A'],
          ['pid run', '\r'],
          [PROMPT, CTRL_D],
        ],
        { cwd: world.directory },
      );
      assert.equal(readFileSync(file, 'utf8'), 'pid run\nversion\npid run\n');
    }
  });

  it('executes pasted lines one after the other', async () => {
    const { lines } = await playOurs([], [[PROMPT, 'pid run\rhelp quit\rquit\r']]);
    assert.match(
      lines.join('\n'),
      /\nsupervisor> pid run\nPID\nsupervisor> help quit\nquit\tExit the supervisor shell\.\nsupervisor> quit\n\n$/,
    );
  });

  it('lists the completions of Tab if there are several', async () => {
    const { lines } = await playOurs(
      [],
      [
        [PROMPT, 'status man\t'],
        ['y:$', '\t'],
        ['many_01[^>]*> status many:$', '\x15\r'],
        [PROMPT, CTRL_D],
      ],
    );
    assert.match(lines.join('\n'), /many:many_00\s+many:\*|many:\*\s+many:many_00/);
  });

  it('reads lines from a pipe', async () => {
    const { stdout, code } = await runOurs(world.select, {
      cwd: world.directory,
      input: 'pid run\n\nfg cat\nthrough\nversion x',
    });
    assert.match(normalise(stdout), /\nsupervisor> PID\nsupervisor> supervisor> ==> Press Ctrl-C to exit <==\n/);
    assert.equal(code, 0);
  });
});
