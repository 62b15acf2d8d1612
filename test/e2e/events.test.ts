/**
 * Event listeners of the executable in a container: the one of Supervisor's documentation, and listeners that share
 * work, stall, exit, close their input and are flooded. test/conformance/events.test.ts compares the events with
 * Supervisor's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { order, statusOf } from './connections.ts';
import { type Launched, launch, pid1SkipReason } from './launch.ts';
import { programFile } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

/** "Example Event Listener Implementation" of Supervisor's documentation. */
const DOCUMENTED = `
import sys

def write_stdout(s):
    # only eventlistener protocol messages may be sent to stdout
    sys.stdout.write(s)
    sys.stdout.flush()

def write_stderr(s):
    sys.stderr.write(s)
    sys.stderr.flush()

def main():
    while 1:
        # transition from ACKNOWLEDGED to READY
        write_stdout('READY\\n')

        # read header line and print it to stderr
        line = sys.stdin.readline()
        write_stderr(line)

        # read event payload and print it to stderr
        headers = dict([ x.split(':') for x in line.split() ])
        data = sys.stdin.read(int(headers['len']))
        write_stderr(data)

        # transition from READY to ACKNOWLEDGED
        write_stdout('RESULT 2\\nOK')

if __name__ == '__main__':
    main()
`;

const HEAD = '[supervisord]\nloglevel=info\n[program:waits]\ncommand=sleep 1000\n';

const POOL_OF_THREE = 'numprocs=3\nprocess_name=pool%(process_num)d\nautorestart=true';

/** Creates a section with programs/event-listener.py. Its standard error is that of the container. */
function listener(name: string, events: string, how = '', options = ''): string {
  return (
    `[eventlistener:${name}]\ncommand=python3 ${programFile('event-listener.py')} %(process_num)d ${how}\n` +
    `events=${events}\nstartsecs=0\nstderr_logfile=/dev/stderr\nstderr_logfile_maxbytes=0\n${options}\n`
  );
}

async function tellRemote(launched: Launched, type: string, count = 1, size = 0): Promise<void> {
  const { code, stderr } = await launched.enter([
    'python3',
    programFile('tell-remote.py'),
    type,
    String(count),
    String(size),
  ]);
  assert.equal(code, 0, stderr);
}

test(
  'a handler in Python that nobody knows accepts what its listener says; a renamed copy of supervisor-stdout ' +
    'is built in',
  { skip },
  async (t) => {
    const lister =
      '#!/bin/sh\nwhile :; do echo READY; read -r line; n=${line##*len:}; head -c "$n" >/dev/null; printf ' +
      '"RESULT 5\\nmy ok"; echo "took $line" >&2; done\n';
    const launched = await launch(t, {
      config: `${HEAD}[program:says]
command=sh -c "echo through the copy; exec sleep 1000"
stdout_logfile=NONE
stdout_events_enabled=true
[eventlistener:mine]
command=%FOLDER%/lister
events=PROCESS_STATE_RUNNING
result_handler=mine:handle
stderr_logfile=/dev/stderr
stderr_logfile_maxbytes=0
[eventlistener:copy]\ncommand=python3 %FOLDER%/copy.py\nevents=PROCESS_LOG\nresult_handler=copy:handle\n`,
      files: { lister },
    });
    await launched.waitForLine(/^says +\| through the copy$/);
    for (let count = 0; count < 2; count++) await launched.waitForLine(/took .*PROCESS_STATE_RUNNING/);
    assert.doesNotMatch(launched.stdout.text, /event was rejected|spawned: 'copy'/);
    assert.match(
      launched.stdout.text,
      /"mine:handle" is Python and cannot be loaded; every result but FAIL is accepted/,
    );
  },
);

test(
  'a listener that reads the number of bytes in the header stays in sync, with any characters',
  { skip },
  async (t) => {
    const lister =
      '#!/bin/sh\nwhile :; do echo READY; read -r line; n=${line##*bytes:}; head -c "${n%% *}" | tail -n 1 ' +
      '>&2; printf "RESULT 2\\nOK"; done\n';
    const launched = await launch(t, {
      config: `${HEAD}[program:says]
command=sh -c "for i in 1 2 3; do echo café $i 😀; sleep 0.2; done; exec sleep 1000"
stdout_logfile=NONE
stdout_events_enabled=true
[eventlistener:bytes]
command=%FOLDER%/lister
events=PROCESS_LOG
stderr_logfile=/dev/stderr
stderr_logfile_maxbytes=0
`,
      files: { lister },
    });
    for (const number of [1, 2, 3]) await launched.stderr.waitFor(new RegExp(`café ${number} 😀$`));
  },
);

test(
  'the documented listener: its protocol is in no log, its standard error is; no event of the boot is lost',
  { skip },
  async (t) => {
    const programs = Array.from({ length: 12 }, (_, index) => `[program:p${index}]\ncommand=sleep 1000\n`).join('');
    const launched = await launch(t, {
      config: `${HEAD}[eventlistener:doc]\ncommand=python3 %FOLDER%/doc.py\nevents=EVENT\n${programs}`,
      files: { 'doc.py': DOCUMENTED },
    });
    await launched.stderr.waitFor(/^doc {3}\| .* pool:doc poolserial:0 eventname:PROCESS_GROUP_ADDED bytes:14 len:14$/);
    await launched.stderr.waitFor(/eventname:SUPERVISOR_STATE_CHANGE_RUNNING bytes:0 len:0$/);
    // A payload without a final newline: the next header follows on the same line.
    for (let index = 0; index < 12; index++)
      await launched.stderr.waitFor(
        new RegExp(`processname:p${index} groupname:p${index} from_state:STARTING pid:\\d+`),
      );
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    const { text } = launched.stderr;
    const serials = [...text.matchAll(/ serial:(\d+) /g)].map(([, serial]) => Number(serial));
    assert.deepEqual(
      serials,
      Array.from(serials, (_, index) => index),
    );
    assert.match(text, /eventname:SUPERVISOR_STATE_CHANGE_STOPPING/);
    for (const state of ['STOPPING', 'STOPPED'])
      assert.equal([...text.matchAll(new RegExp(`eventname:PROCESS_STATE_${state} `, 'g'))].length, 13);
    assert.doesNotMatch(launched.stdout.text, /READY|RESULT|overflowed/);
  },
);

test('a reload: the listeners get the event of the stop, the new ones that of the start', { skip }, async (t) => {
  const launched = await launch(t, { config: `${HEAD}${listener('sh', 'SUPERVISOR_STATE_CHANGE')}` });
  await launched.stderr.waitFor(/^0 took SUPERVISOR_STATE_CHANGE_RUNNING 0 $/);
  launched.signal('SIGHUP');
  await launched.stderr.waitFor(/^0 took SUPERVISOR_STATE_CHANGE_STOPPING 0 $/);
  await launched.stderr.waitFor(/^0 took SUPERVISOR_STATE_CHANGE_RUNNING 0 $/, { count: 2 });
});

test(
  'several listeners share the work, and a listener that exits after each event gets none twice',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config: HEAD + listener('pool', 'REMOTE_COMMUNICATION', 'once', POOL_OF_THREE),
    });
    await launched.stderr.waitFor(/^\d begins$/, { count: 3 });
    await tellRemote(launched, 'n%d', 9);
    await launched.stderr.waitFor(/ took /, { count: 9 });
    const took = launched.stderr.all.flatMap(
      (line) => /^(\d) took REMOTE_COMMUNICATION \d+ type:n(\d)$/.exec(line)?.slice(1, 3).join(' ') ?? [],
    );
    assert.deepEqual(took.map((line) => line.split(' ')[1] ?? '').toSorted(), [
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
    ]);
    assert.deepEqual(new Set(took.map((line) => line.split(' ')[0])), new Set(['0', '1', '2']));
  },
);

test(
  'a stalled listener blocks nothing else; events that its buffer drops are reported once, with their number',
  { skip },
  async (t) => {
    const overflowed = /ERRO pool hangs event buffer overflowed, discarding event \d+$/m;
    const sections = [
      listener('hangs', 'REMOTE_COMMUNICATION', 'hang %FOLDER%/go-on', 'buffer_size=5'),
      listener('other', 'REMOTE_COMMUNICATION', '', 'buffer_size=100\nnumprocs_start=1'),
    ];
    const launched = await launch(t, { config: HEAD + sections.join('') });
    await launched.stderr.waitFor(/^[01] begins$/, { count: 2 });
    await tellRemote(launched, 'first');
    await launched.stderr.waitFor(/^0 took .* type:first$/);
    const burst = async (): Promise<void> => {
      const count = 1 + launched.stderr.all.filter((line) => /^1 took .* type:n19$/.test(line)).length;
      await tellRemote(launched, 'n%d', 20);
      await launched.stderr.waitFor(/^1 took .* type:n19$/, { count });
    };
    // A burst is kept. The limit applies to a listener that is behind.
    while (!overflowed.test(launched.stdout.text)) await burst();
    // The number is told of more than one dropped event.
    await burst();
    assert.equal((await launched.ctl('status', 'waits')).code, 0);
    await launched.enter(['touch', `${launched.folder}/go-on`]);
    await tellRemote(launched, 'last');
    await launched.stderr.waitFor(/^0 took .* type:last$/);
    const [, dropped] = await launched.waitForLine(
      /ERRO pool hangs discarded (\d+) events while its buffer was full \(buffer_size\)$/,
    );
    const count = (who: string): number => launched.stderr.all.filter((line) => line.startsWith(`${who} took `)).length;
    assert.equal(count('0') + Number(dropped), count('1'));
    assert.equal(launched.stdout.all.filter((line) => overflowed.test(line)).length, 1);
  },
);

test('an event larger than any pipe arrives completely', { skip }, async (t) => {
  const launched = await launch(t, { config: `${HEAD}${listener('large', 'REMOTE_COMMUNICATION')}` });
  await launched.stderr.waitFor(/^0 begins$/);
  await tellRemote(launched, 'n', 3, 900_000);
  await launched.stderr.waitFor(/^0 took REMOTE_COMMUNICATION 900007 type:n$/, { count: 3 });
});

test('a captured section larger than the limit for other programs is one event', { skip }, async (t) => {
  const says =
    '[program:says]\n' +
    'command=sh -c \'printf "<!--XSUPERVISOR:BEGIN-->"; head -c 3000000 /dev/zero | tr "\\\\000" x; printf ' +
    '"<!--XSUPERVISOR:END-->"; exec cat\'\nstdout_capture_maxbytes=4MB\n';
  const launched = await launch(t, { config: `${HEAD}${listener('large', 'PROCESS_COMMUNICATION')}${says}` });
  await launched.stderr.waitFor(
    /^0 took PROCESS_COMMUNICATION_STDOUT 30000\d\d processname:says groupname:says pid:\d+$/,
  );
});

test('a listener that closes its standard input is restarted, and gets the event', { skip }, async (t) => {
  const launched = await launch(t, { config: `${HEAD}${listener('closes', 'REMOTE_COMMUNICATION', 'close')}` });
  await launched.stderr.waitFor(/^0 begins$/);
  await tellRemote(launched, 'close');
  await launched.stderr.waitFor(/ type:close$/);
  await tellRemote(launched, 'after');
  await launched.waitForLine(/WARN closes: it has closed its standard input$/);
  await launched.waitForLine(/WARN exited: closes \(terminated by SIGKILL; not expected\)$/);
  await launched.stderr.waitFor(/^0 took .* type:after$/);
  assert.equal(launched.stderr.all.filter((line) => line === '0 begins').length, 2);
});

test('output becomes events, before the event of the exit of its program', { skip }, async (t) => {
  const brief =
    "[program:brief]\ncommand=sh -c 'sleep 0.1; echo last words; echo and more >&2'\nstartsecs=0\n" +
    'autorestart=false\nautostart=false\nstdout_events_enabled=true\nstderr_events_enabled=true\n';
  const launched = await launch(t, {
    config: `${HEAD}${listener('logs', 'PROCESS_LOG,PROCESS_STATE_EXITED')}${brief}`,
  });
  await launched.stderr.waitFor(/^0 begins$/);
  for (let round = 1; round <= 5; round++) {
    await order(launched, 'supervisor.startProcess', 'brief');
    await launched.stderr.waitFor(/^0 took PROCESS_STATE_EXITED /, { count: round });
  }
  const took = launched.stderr.all.flatMap((line) => /^0 took (\w+) /.exec(line)?.[1] ?? []);
  for (let at = 0; at < took.length; at += 3)
    assert.deepEqual(
      [...took.slice(at, at + 2).toSorted(), took[at + 2]],
      ['PROCESS_LOG_STDERR', 'PROCESS_LOG_STDOUT', 'PROCESS_STATE_EXITED'],
    );
});

test('a program that floods a listener does not block the supervisor', { skip }, async (t) => {
  const flood = '[program:flood]\ncommand=yes\nautostart=false\nstdout_events_enabled=true\nstdout_logfile=NONE\n';
  const launched = await launch(t, {
    config: `${HEAD}${listener('logs', 'PROCESS_LOG,REMOTE_COMMUNICATION')}${flood}`,
  });
  await launched.stderr.waitFor(/^0 begins$/);
  // The listener has handled the queue of the boot.
  await tellRemote(launched, 'first');
  await launched.stderr.waitFor(/ type:first$/);
  await order(launched, 'supervisor.startProcess', 'flood');
  await launched.waitForLine(/ERRO pool logs event buffer overflowed/);
  assert.equal((await statusOf(launched, 'flood')).statename, 'RUNNING');
  await order(launched, 'supervisor.stopProcess', 'flood');
  await launched.waitForLine(/ERRO pool logs discarded \d+ events while its buffer was full \(buffer_size\)$/);
});
