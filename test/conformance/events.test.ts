/**
 * Listeners written with Python's supervisor.childutils, under Supervisor and under ours: with the same configuration
 * and the same sequence of changes, the events are the same. Differences are intended. The tests "unlike Supervisor"
 * show both sides.
 *
 * Intended differences, with reasons:
 *   1. An event that a pool subscribes to under two names comes once. Supervisor sends it twice, with one serial.
 *   2. A rejected event returns to its own pool. Supervisor gives it to every pool whose listeners have the same
 *      priority.
 *   3. With the default buffer, no event of the boot or of another burst is lost (test/e2e/events.test.ts). Supervisor
 *      drops all but the last ten. `buffer_size` applies to listeners that have been behind for a second.
 *   4. A listener that breaks the protocol is killed and restarted. Supervisor leaves it running, without events.
 *   5. Output in capture mode causes no PROCESS_LOG, as documented, and later output is sent at once. Supervisor sends
 *      the captured output twice and delays the following output.
 *   6. A listener gets the event of the exit of the last program of a shutdown before it is stopped itself.
 *   7. A character that was split between two reads is sent whole (test/unit/events/sources.test.ts). Supervisor marks
 *      both parts as undecodable.
 *   8. An event that is rejected repeatedly is sent again after growing pauses
 *      (test/unit/events/listener-pool.test.ts). Supervisor sends it as fast as it can.
 *   9. Events that a full buffer drops are reported twice, with their number (same file). Supervisor reports each one.
 *  10. `RESULT` is checked. Supervisor accepts any seven characters.
 *  11. The exit of a program whose output causes events is sent after all of that output, as in Supervisor. Events of
 *      other programs do not wait for that, and may come earlier.
 *  12. Programs of equal priority stop together, so the order of their events differs from Supervisor's, which stops
 *      one group after another.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EventWorld, listenerSection, needsSupervisor, startEventWorld, type Which } from './events-world.ts';

const CAPTURED = '<!--XSUPERVISOR:BEGIN-->inside<!--XSUPERVISOR:END-->';
/** Shell commands that wait for a line and then write text, text to stderr, and bytes that are not UTF-8. */
const OUT = 'read x; printf "out \\303\\251\\n"';
const ERR = 'read x; printf "err\\n" >&2';
const NOT_TEXT = 'read x; printf "\\377\\376it\\047s\\n"';

/** A shell command that waits for a line and then writes a captured text. */
const capture = (text: string): string => `read x; printf "<!--XSUPERVISOR:BEGIN-->${text}<!--XSUPERVISOR:END-->"`;

const both = ['real', 'ours'] as const satisfies readonly Which[];

const everything =
  'PROCESS_STATE,PROCESS_GROUP,SUPERVISOR_STATE_CHANGE,REMOTE_COMMUNICATION,PROCESS_LOG,PROCESS_COMMUNICATION';

// A long startsecs for a start that must fail. Supervisor's loop may notice an exit a second late, and take the start
// for a success.
const lifecycle = `${listenerSection('main', everything, 'buffer_size=100')}
[program:slow]
command=/bin/sh -c 'trap "sleep 1.5; exit" TERM; while :; do sleep 0.1; done'
priority=1
[program:cat]
command=/bin/cat
[program:crash]
command=/bin/sh -c 'read x; echo last words; exit 3'
autostart=false
autorestart=false
stdout_events_enabled=true
[program:done]
command=/bin/sh -c 'sleep 1.3'
autostart=false
[program:again]
command=/bin/sh -c 'sleep 1.3; exit 4'
autostart=false
[program:quick]
command=/bin/sh -c 'sleep 0.3; exit 1'
autostart=false
startretries=1
startsecs=5
[program:flaky]
command=/bin/sh -c 'sleep 0.3; exit 1'
autostart=false
startretries=100
startsecs=5
[program:missing]
command=/nonexistent
autostart=false
[program:talk]
command=/bin/sh -c '${OUT}; ${ERR}; ${NOT_TEXT}; exec cat'
autostart=false
stdout_events_enabled=true
stderr_events_enabled=true
[program:comm]
command=/bin/sh -c '${capture('hello\\nthere')}; ${capture('err\\377')} >&2; exec cat'
autostart=false
stdout_capture_maxbytes=1KB
stderr_capture_maxbytes=1KB
[group:g]
programs=late
[program:late]
command=/bin/cat
autostart=false
`;

/** Causes all possible events, one after the other. */
async function live(world: EventWorld): Promise<void> {
  const start = (name: string): Promise<unknown> => world.call('supervisor.startProcess', name, false);
  await world.waitFor(/^main PROCESS_STATE_RUNNING processname:cat /);
  await start('crash');
  await world.waitFor(/_RUNNING processname:crash /);
  await world.call('supervisor.sendProcessStdin', 'crash', 'go on\n');
  await world.waitFor(/_EXITED processname:crash /);
  await start('done');
  await world.waitFor(/_EXITED processname:done /);
  await start('quick');
  await world.waitFor(/_FATAL processname:quick /);
  await start('flaky');
  // The pause after the third failure is long enough to stop the program there.
  await world.waitFor(/_BACKOFF processname:flaky .* tries:3/);
  await world.call('supervisor.stopProcess', 'flaky');
  assert.equal(await world.fault('supervisor.startProcess', 'missing'), 20);
  await start('again');
  await world.waitFor(/_STARTING processname:again groupname:again from_state:EXITED/);
  await world.call('supervisor.stopProcess', 'again');
  for (const name of ['talk', 'comm']) {
    await world.call('supervisor.startProcess', name);
    await world.waitFor(new RegExp(`_RUNNING processname:${name} `));
  }
  for (const pattern of [
    /_STDOUT processname:talk [^]*out é\n/,
    /_STDERR processname:talk /,
    /_STDOUT processname:talk [^]*Undecodable/,
  ]) {
    await world.call('supervisor.sendProcessStdin', 'talk', 'go on\n');
    await world.waitFor(pattern);
  }
  for (const stream of ['STDOUT', 'STDERR']) {
    await world.call('supervisor.sendProcessStdin', 'comm', 'go on\n');
    await world.waitFor(new RegExp(`PROCESS_COMMUNICATION_${stream} `));
  }
  await world.call('supervisor.sendProcessStdin', 'talk', 'echoed\n');
  await world.waitFor(/echoed/);
  await world.call('supervisor.sendRemoteCommEvent', 'my type', 'data é😀\nof two lines');
  await world.call('supervisor.sendRemoteCommEvent', '', '');
  await world.call('supervisor.startProcess', 'g:late');
  await world.call('supervisor.stopProcess', 'g:late');
  await world.call('supervisor.removeProcessGroup', 'g');
  await world.call('supervisor.addProcessGroup', 'g');
  for (const name of ['talk', 'comm', 'main']) await world.call('supervisor.stopProcess', name);
  await world.call('supervisor.startProcess', 'main');
  await world.waitFor(/^main .*_RUNNING processname:main /, 2);
  await world.call('supervisor.restart');
  // Repeat with the listener and cat.
  await world.waitFor(/^main .*_RUNNING processname:cat /, 2);
}

test('the same sequence of changes causes the same events', needsSupervisor, async (t) => {
  const [real, ours] = await Promise.all(
    both.map(async (which) => {
      const world = await startEventWorld(t, which, lifecycle);
      await live(world);
      return world;
    }),
  );
  assert.ok(real && ours);
  // Difference 6: the program that is stopped last exits slowly, so that Supervisor also reports all exits but the
  // last.
  const told = (world: EventWorld): string[] =>
    world.told('main').filter((line) => !line.startsWith('PROCESS_STATE_STOPPED processname:slow '));
  assert.deepEqual(told(ours), told(real));
  assert.ok(told(ours).length > 60);
  for (const world of [real, ours]) {
    const headers = world.all('main').map((told) => told.headers ?? {});
    const rising = headers.map(({ serial }) => Number(serial));
    assert.deepEqual(
      rising,
      rising.toSorted((a, b) => a - b),
      'serials rise, also from one configuration to the next',
    );
    assert.deepEqual(
      new Set(headers.map(({ ver, server, pool }) => `${ver} ${server} ${pool}`)),
      new Set(['3.0 watch main']),
    );
    assert.equal(
      headers.filter(({ poolserial }) => poolserial === '0').length,
      2,
      'pool serials begin anew with the pool',
    );
  }
});

test('a listener that calls back, as the listeners of superlance do', needsSupervisor, async (t) => {
  const told = await Promise.all(
    both.map(async (which) => {
      const world = await startEventWorld(
        t,
        which,
        `${listenerSection('main', 'PROCESS_STATE_RUNNING,PROCESS_COMMUNICATION,REMOTE_COMMUNICATION', '', 'call-back')}
[program:speaker]
command=/bin/sh -c 'read x; printf "<!--XSUPERVISOR:BEGIN-->said<!--XSUPERVISOR:END-->"; exec cat'
stdout_capture_maxbytes=1MB
`,
      );
      await world.waitFor(/_RUNNING processname:speaker /);
      await world.call('supervisor.sendProcessStdin', 'speaker', 'speak\n');
      await world.waitFor(/PROCESS_COMMUNICATION_STDOUT [^]*said/);
      await world.call('supervisor.sendRemoteCommEvent', 'restart', 'speaker');
      await world.waitFor(/_RUNNING processname:speaker /, 2);
      return world.told('main').toSorted();
    }),
  );
  assert.deepEqual(told[1], told[0]);
});

test('ticks come at multiples of five seconds', needsSupervisor, async (t) => {
  await Promise.all(
    both.map(async (which) => {
      const world = await startEventWorld(t, which, listenerSection('ticks', 'TICK_5'));
      const began = Date.now() / 1000;
      const { payload } = await world.waitFor(/^ticks TICK_5 /);
      assert.match(payload ?? '', /^when:\d+$/);
      const seconds = Number((payload ?? '').slice('when:'.length));
      assert.equal(seconds % 5, 0);
      // The event may have been delayed.
      assert.ok(seconds > began - 5 && seconds <= Date.now() / 1000, `started at ${began}, event of ${seconds}`);
    }),
  );
});

test('unlike Supervisor (1): two names for an event do not send it twice', needsSupervisor, async (t) => {
  const counts = await Promise.all(
    both.map(async (which) => {
      const world = await startEventWorld(
        t,
        which,
        listenerSection('main', 'REMOTE_COMMUNICATION,EVENT', 'buffer_size=100'),
      );
      await world.waitFor(/_RUNNING processname:main /);
      await world.call('supervisor.sendRemoteCommEvent', 'a', '');
      await world.call('supervisor.sendRemoteCommEvent', 'b', '');
      await world.waitFor(/type:b/);
      return world.told('main').filter((line) => /type:a/.test(line)).length;
    }),
  );
  assert.deepEqual(counts, [2, 1]);
});

test('unlike Supervisor (2): a rejected event is sent again, to its own pool only', needsSupervisor, async (t) => {
  const told = await Promise.all(
    both.map(async (which) => {
      const world = await startEventWorld(
        t,
        which,
        listenerSection('picky', 'REMOTE_COMMUNICATION', '', 'fail-once') +
          listenerSection('other', 'REMOTE_COMMUNICATION'),
      );
      for (const name of ['picky', 'other'])
        while (((await world.call('supervisor.getProcessInfo', name)) as { statename: string }).statename !== 'RUNNING')
          await new Promise((resolve) => setTimeout(resolve, 100));
      for (const type of ['a', 'b']) {
        await world.call('supervisor.sendRemoteCommEvent', type, '');
        await world.waitFor(new RegExp(`^picky .*type:${type}`), type === 'a' ? 2 : 1);
        await world.waitFor(new RegExp(`^other .*type:${type}`));
      }
      const types = (listener: string): string[] => world.told(listener).map((line) => line.trimEnd().slice(-1));
      return [types('picky').join(''), types('other').join('')];
    }),
  );
  assert.deepEqual(told, [
    ['aab', 'aab'],
    ['aab', 'ab'],
  ]);
});

test('unlike Supervisor (3): no event of the boot is lost with the default buffer', needsSupervisor, async (t) => {
  const programs = Array.from(
    { length: 15 },
    (_, index) => `[program:p${String(index).padStart(2, '0')}]\ncommand=/bin/cat\n`,
  ).join('');
  const [real, ours] = await Promise.all(
    both.map(async (which) => {
      const world = await startEventWorld(t, which, listenerSection('main', 'EVENT') + programs);
      await world.waitFor(/_RUNNING processname:p14 /);
      return { world, first: world.all('main').map(({ headers }) => Number(headers?.['serial'])) };
    }),
  );
  assert.ok(real && ours);
  assert.ok((real.first[0] ?? 0) > 5, 'Supervisor discards');
  assert.ok(real.world.log.all.some((line) => line.endsWith('pool main event buffer overflowed, discarding event 0')));
  assert.deepEqual(
    ours.first,
    Array.from(ours.first, (_, index) => index),
  );
  assert.equal(
    ours.world.log.all.some((line) => /overflowed/.test(line)),
    false,
  );
  const told = ours.world.told('main');
  assert.equal(told.filter((line) => line.startsWith('PROCESS_GROUP_ADDED')).length, 16);
  assert.equal(told.filter((line) => /^PROCESS_STATE_(STARTING|RUNNING)/.test(line)).length, 32);
});

test(
  'unlike Supervisor (4): a listener that breaks the protocol is restarted, without the loss of an event',
  needsSupervisor,
  async (t) => {
    const [real, ours] = await Promise.all(
      both.map(async (which) => {
        const world = await startEventWorld(
          t,
          which,
          listenerSection('main', 'REMOTE_COMMUNICATION', 'startsecs=0', 'garbage'),
        );
        // The log and the reports of the listener are independent: either may come first.
        const first = await world.waitFor(/^main BEGINS/);
        await world.log.waitFor(/has entered the UNKNOWN state/);
        await world.call('supervisor.sendRemoteCommEvent', 'a', '');
        if (which === 'ours') await world.waitFor(/^main REMOTE_COMMUNICATION type:a/);
        const { pid, statename } = (await world.call('supervisor.getProcessInfo', 'main')) as {
          pid: number;
          statename: string;
        };
        return { ...world, first, pid, statename };
      }),
    );
    assert.ok(real && ours);
    assert.match(
      String(ours.log.all.find((line) => /main: it wrote without an event/.test(line))),
      /an event: 'something that is no answer\\n/,
    );
    assert.notEqual(ours.pid, ours.first.pid);
    assert.deepEqual(
      [real.lines.all.length, real.pid, real.statename],
      [1, real.first.pid, 'RUNNING'],
      'Supervisor leaves it as it is',
    );
  },
);

test(
  'unlike Supervisor (5): captured output is not sent twice, and later output is sent at once',
  needsSupervisor,
  async (t) => {
    const program = `[program:comm]
command=/bin/sh -c 'read x; printf before; read x; printf "${CAPTURED}after"; exec cat'
stdout_capture_maxbytes=1KB
stdout_events_enabled=true
`;
    const told = await Promise.all(
      both.map(async (which) => {
        const world = await startEventWorld(
          t,
          which,
          listenerSection('main', 'PROCESS_LOG,PROCESS_COMMUNICATION,PROCESS_STATE_RUNNING') + program,
        );
        await world.waitFor(/_RUNNING processname:comm /);
        await world.call('supervisor.sendProcessStdin', 'comm', '\n');
        if (which === 'ours') await world.waitFor(/before/);
        await world.call('supervisor.sendProcessStdin', 'comm', '\n');
        await world.waitFor(/PROCESS_COMMUNICATION_STDOUT/);
        if (which === 'ours') await world.waitFor(/after/);
        return world
          .told('main')
          .filter((line) => /processname:comm .*\n/.test(line))
          .map((line) => `${line.split(' ')[0]} ${line.split('\n')[1]}`);
      }),
    );
    assert.deepEqual(told[0], [
      'PROCESS_LOG_STDOUT before',
      'PROCESS_LOG_STDOUT inside',
      'PROCESS_COMMUNICATION_STDOUT inside',
    ]);
    assert.deepEqual(told[1], [
      'PROCESS_LOG_STDOUT before',
      'PROCESS_COMMUNICATION_STDOUT inside',
      'PROCESS_LOG_STDOUT after',
    ]);
  },
);

test(
  'unlike Supervisor (6): a listener gets the exit of the last program of a shutdown',
  needsSupervisor,
  async (t) => {
    const [real, ours] = await Promise.all(
      both.map(async (which) => {
        const world = await startEventWorld(
          t,
          which,
          `${listenerSection('main', 'PROCESS_STATE,SUPERVISOR_STATE_CHANGE')}[program:cat]\ncommand=/bin/cat\n`,
        );
        await world.waitFor(/_RUNNING processname:cat /);
        await world.shutdown();
        return world.told('main');
      }),
    );
    // The number of further events of Supervisor depends on timing.
    assert.equal(
      real?.some((line) => line.startsWith('PROCESS_STATE_STOPPED processname:cat ')),
      false,
    );
    assert.deepEqual(ours?.slice(-3), [
      'SUPERVISOR_STATE_CHANGE_STOPPING ',
      'PROCESS_STATE_STOPPING processname:cat groupname:cat from_state:RUNNING pid:PID',
      'PROCESS_STATE_STOPPED processname:cat groupname:cat from_state:STOPPING pid:PID',
    ]);
  },
);
