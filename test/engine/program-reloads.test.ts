/** Reloads of programs on the engine: reload_signal, reload_command, and the end of the run meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isExecutionChanged } from '../../src/config/diff.ts';
import type { Job, JobOutcome } from '../../src/engine/ports.ts';
import { ProgramReloads } from '../../src/supervisor/program-reloads.ts';
import { sampleProgram } from '../../build/sample-program.ts';
import { REQUEST } from '../causes.ts';
import { exitWith, type Program, World } from './world.ts';

interface Scene {
  readonly world: World;
  readonly reloads: ProgramReloads;
  readonly jobs: Job[];
  readonly log: string[];
  /** Ends the running command. */
  end(outcome: JobOutcome): void;
}

function scene(program: Omit<Program, 'name'>): Scene {
  const world = new World([{ name: 'web', ...program }]);
  const [jobs, log]: [Job[], string[]] = [[], []];
  let done: (outcome: JobOutcome) => void = () => assert.fail('no command runs');
  const reloads = new ProgramReloads({
    engine: () => world.engine,
    report: (level, text) => log.push(`${level} ${text}`),
    jobs: {
      run: (_proc, job, then) => {
        jobs.push(job);
        done = then;
        return () => then({ kind: 'cancelled' });
      },
    },
  });
  world.engine.subscribe((event) => reloads.observe(event));
  world.engine.start();
  world.clock.advance(1000);
  world.calls.length = 0;
  return { world, reloads, jobs, log, end: (outcome) => done(outcome) };
}

const ended = (code: number): JobOutcome => ({ kind: 'ended', status: { kind: 'exited', code }, output: '' });

test('reload_signal is sent to the process, and explains an end by it', async () => {
  const { world, reloads, log } = scene({ reload_signal: 1, stopasgroup: true });
  const answer = await reloads.reload('web:web', REQUEST);
  assert.deepEqual(answer, { kind: 'tried', result: { way: { kind: 'signal', signal: 1 }, failure: null } });
  assert.deepEqual(world.calls, ['SIG1 web'], 'the process only, not its group');
  assert.deepEqual(world.view('web').record.sentSignal?.cause, REQUEST);
  assert.deepEqual(log, ['info web: reloaded by SIGHUP']);
  world.signalError = 'EPERM';
  const failed = await reloads.reload('web:web', REQUEST);
  assert.ok(failed.kind === 'tried');
  assert.equal(failed.result.failure, 'the signal could not be sent: EPERM');
  assert.equal(log.at(-1), 'warn web: reload failed: the signal could not be sent: EPERM');
});

test('reload_command has the pid, and its failures are told', async () => {
  const { world, reloads, jobs, end } = scene({ reload_command: 'app reload', reload_timeout: 2.5 });
  const outcomes: ReadonlyArray<readonly [JobOutcome, string | null]> = [
    [ended(0), null],
    [ended(3), 'reload_command failed (exit status 3)'],
    [{ kind: 'timeout', output: '' }, 'reload_command was killed: it took longer than 2.5 s'],
    [
      { kind: 'failed', reason: "can't find command 'app'" },
      "reload_command could not be executed: can't find command 'app'",
    ],
  ];
  for (const [outcome, failure] of outcomes) {
    const answer = reloads.reload('web:web', REQUEST);
    end(outcome);
    assert.deepEqual(await answer, { kind: 'tried', result: { way: { kind: 'command' }, failure } });
  }
  assert.deepEqual(
    [jobs[0]?.command, jobs[0]?.timeoutMs, [...(jobs[0]?.environment ?? [])]],
    ['app reload', 2500, [['SUPERVISOR_PID', String(world.view('web').record.pid)]]],
  );
});

test('a second reload is refused while the command runs', async () => {
  const { reloads, end, jobs } = scene({ reload_command: 'x' });
  const first = reloads.reload('web:web', REQUEST);
  assert.deepEqual(await reloads.reload('web:web', REQUEST), {
    kind: 'refused',
    reason: 'its reload_command runs already',
  });
  end(ended(0));
  await first;
  const again = reloads.reload('web:web', REQUEST);
  end(ended(0));
  await again;
  assert.equal(jobs.length, 2);
});

for (const how of ['stop', 'shutdown', 'exit in a shutdown'] as const) {
  test(`a reload_command is cancelled by a stop (${how})`, async () => {
    const { world, reloads } = scene({ reload_command: 'x', autorestart: 'false' });
    if (how === 'exit in a shutdown') world.engine.shutDown('exit', REQUEST, { delayMs: 60_000 });
    const answer = reloads.reload('web:web', REQUEST);
    if (how === 'stop') world.engine.request('web:web', 'stop', REQUEST);
    if (how === 'exit in a shutdown') world.end(exitWith(0), 'web');
    if (how === 'shutdown') world.engine.shutDown('exit', REQUEST, { delayMs: 60_000 });
    const { result } = (await answer) as { result: { failure: string } };
    assert.equal(result.failure, 'reload_command was cancelled: the program is being stopped');
  });
}

test('a reload_command that makes its program end goes on', async () => {
  const { world, reloads, end } = scene({ reload_command: 'x', autorestart: 'true' });
  const answer = reloads.reload('web:web', REQUEST);
  world.end(exitWith(1), 'web');
  end(ended(0));
  assert.deepEqual(await answer, { kind: 'tried', result: { way: { kind: 'command' }, failure: null } });
});

test('without a way, without a run and without a process it is refused, and nothing is logged', async () => {
  const none = scene({});
  const refused = await none.reloads.reload('web:web', REQUEST);
  assert.match(refused.kind === 'refused' ? refused.reason : '', /^neither reload_signal nor reload_command is set/);
  assert.deepEqual(await none.reloads.reload('no:no', REQUEST), {
    kind: 'refused',
    reason: 'it is not active any more',
  });
  const stopped = scene({ reload_signal: 1, autostart: false });
  assert.deepEqual(await stopped.reloads.reload('web:web', REQUEST), {
    kind: 'refused',
    reason: 'it is not running (STOPPED)',
  });
  assert.deepEqual([none.log, stopped.log], [[], []]);
});

test('a change of the options applies to a running process', () => {
  const changed = sampleProgram('reload_command=x', 'reload_timeout=5');
  assert.equal(isExecutionChanged(sampleProgram('reload_signal=HUP'), changed), false);
});
