/** The time for the shutdown, derived from the options. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noFlags } from '../../../src/config/flags.ts';
import type { Config } from '../../../src/config/model.ts';
import { configOf, printed, readText } from './memory-source.ts';

const HEAD = '[supervisord]\n';
const WEB = '[program:web]\ncommand=x\n';
const container = { isContainer: true };

function budgetOf(
  text: string,
  settings: Parameters<typeof readText>[2] = container,
  env: Record<string, string> = {},
): Config['stopBudget'] {
  return configOf(readText(text, { env }, settings)).stopBudget;
}

test('a container has 9.5 seconds, or the longest configured stopwaitsecs plus one second', () => {
  assert.equal(budgetOf(HEAD + WEB), 9.5);
  assert.equal(budgetOf(`${HEAD}${WEB}stopwaitsecs=3\n`), 9.5);
  assert.equal(budgetOf(`${HEAD}${WEB}stopwaitsecs=20\n[program:b]\ncommand=x\nstopwaitsecs=15\n`), 21);
  assert.equal(budgetOf(`${HEAD}[program-default]\nstopwaitsecs=30\n${WEB}`), 31);
});

test('each signal of a list has its own stopwaitsecs, SIGKILL has none; a stop_command has stop_timeout', () => {
  assert.equal(budgetOf(`${HEAD}${WEB}stopsignal=TERM,INT,KILL\nstopwaitsecs=20\n`), 41);
  assert.equal(budgetOf(`${HEAD}${WEB}stopsignal=TERM,INT\n`), 9.5, 'stopwaitsecs is not set');
  assert.equal(budgetOf(`${HEAD}${WEB}stop_command=x\nstop_timeout=25\n`), 26);
  assert.equal(budgetOf(`${HEAD}${WEB}stop_command=x\n`), 9.5);
});

test('outside containers, and with shutdown_timeout, only a configured budget applies', () => {
  assert.equal(budgetOf(HEAD + WEB, {}), null);
  assert.equal(budgetOf(`${HEAD}shutdown_timeout=60\n${WEB}`), null);
  assert.equal(budgetOf(`${HEAD}stop_budget=30s\n${WEB}`, {}), 30);
  assert.equal(budgetOf(`${HEAD}stop_budget=30s\nshutdown_timeout=60\n${WEB}stopwaitsecs=100\n`), 30);
});

test('ONEVISOR_STOP_BUDGET sets the budget, and the default of stopwaitsecs is two seconds less', () => {
  const waits = (budget: string, text = WEB): number | undefined =>
    configOf(readText(HEAD + text, { env: { ONEVISOR_STOP_BUDGET: budget } }, container)).groups[0]?.processes[0]
      ?.options.stopwaitsecs;
  assert.equal(budgetOf(HEAD + WEB, container, { ONEVISOR_STOP_BUDGET: '30s' }), 30);
  assert.deepEqual([waits('30s'), waits('2.5s'), waits('30s', `${WEB}stopwaitsecs=5\n`)], [28, 1, 5]);
  assert.deepEqual(
    readText(HEAD + WEB, { env: { ONEVISOR_STOP_BUDGET: 'soon' } }).errors.map(({ file, option }) => [file, option]),
    [['ONEVISOR_STOP_BUDGET', 'stop_budget']],
  );
});

test('the options of the main program count, and the other programs have time after it', () => {
  const command = { ...container, flags: { ...noFlags, command: ['bash'] } };
  const waitOf = (text: string): number | null => configOf(readText(text, {}, command)).mainStopWait;
  assert.deepEqual([waitOf(HEAD + WEB), waitOf(`${HEAD}[program:main]\nstopwaitsecs=20\n`)], [null, 20]);
  assert.equal(waitOf(`${HEAD}[program-default]\nstopwaitsecs=8\n`), 8);
  assert.equal(configOf(readText(`${HEAD}${WEB}stopwaitsecs=8\n`, {}, container)).mainStopWait, null);
  assert.equal(budgetOf(`${HEAD}[program:main]\nstopwaitsecs=20\n`, command), 21);
  assert.equal(budgetOf(`${HEAD}[program:main]\nstopwaitsecs=20\n${WEB}`, command), 25.5);
  assert.equal(budgetOf(`${HEAD}[program:main]\nstopwaitsecs=5\n${WEB}`, command), 9.5);
});

test('shutdown_delay is part of the budget, whose default leaves time for a stop after it', () => {
  assert.equal(budgetOf(`${HEAD}shutdown_delay=5\n${WEB}`), 9.5);
  assert.equal(budgetOf(`${HEAD}shutdown_delay=15s\n${WEB}`), 19.5);
  assert.equal(budgetOf(`${HEAD}shutdown_delay=5\n${WEB}stopwaitsecs=8\n`), 14);
  assert.equal(budgetOf(`${HEAD}shutdown_delay=5\nstop_budget=20\n${WEB}`), 20);
  const waits = (lines: string): number | undefined =>
    configOf(readText(`${HEAD}${lines}\n${WEB}`, {}, container)).groups[0]?.processes[0]?.options.stopwaitsecs;
  assert.deepEqual([waits('stop_budget=29\nshutdown_delay=10'), waits('stop_budget=5\nshutdown_delay=4')], [17, 1]);
});

test('a shutdown_delay that leaves no time for the programs is an error', () => {
  for (const [option, seconds] of [
    ['stop_budget', 10],
    ['shutdown_timeout', 9],
  ] as const) {
    const { errors } = readText(`${HEAD}${option}=${seconds}\nshutdown_delay=10\n${WEB}`);
    assert.deepEqual(printed(errors), [
      `/etc/supervisord.conf:3: [supervisord] shutdown_delay: is not below ${option} (${seconds} s), which it is ` +
        'part of: the programs would be killed without a stop',
    ]);
  }
});

test('a forwarded stop signal that comes before stopsignal has a wait of its own', () => {
  const web = `${WEB}stopwaitsecs=20\n`;
  assert.equal(budgetOf(`${HEAD}forward_signals=TERM:web=QUIT\n${web}`), 41);
  for (const forward of ['TERM:web', 'TERM:web=TERM', 'TERM:web=USR1', 'USR1:web=QUIT', 'TERM:other=QUIT'])
    assert.equal(budgetOf(`${HEAD}forward_signals=${forward}\n${web}[program:other]\ncommand=x\n`), 21, forward);
});
