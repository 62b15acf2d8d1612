/**
 * Runs the program in a plain Node and writes V8's code cache of what was run: a supervisor from its start to its end,
 * and the client's `status` and `health`. warm-cache.ts starts this script. Arguments: the program, the folder of the
 * run, the file to write, and the number of programs that end twice.
 */
'use strict';
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext, Script } = require('node:vm');

/**
 * Compilers that run at the same time leave traces of their timing in the cache, and the collector takes functions out
 * of it. The flags are restored before the cache is written, because V8 accepts a cache only with the flags it was made
 * with.
 */
const DURING_RUN = ['--no-flush-bytecode', '--no-opt', '--no-maglev', '--no-sparkplug'];
const BEFORE_WRITING = ['--flush-bytecode', '--opt', '--maglev', '--sparkplug'];

/** Time in which the supervisor has handled what it has reaped. */
const REST_MS = 300;

const [program, folder, output, ending] = process.argv.slice(2);
for (const flag of DURING_RUN) setFlagsFromString(flag);
const script = new Script(readFileSync(program, 'latin1'), { filename: 'onevisor.cjs' });

/** Runs the program with a command line. It finds the addon where a checkout has it. */
function runProgram(args) {
  process.argv.splice(0, process.argv.length, process.execPath, process.execPath, ...args);
  script.runInThisContext()({}, require, { exports: {} }, 'onevisor.cjs', join(__dirname, '..', 'src', 'native'));
}

function writeCache() {
  // The next collection must not fall into the time with the flags of the executable: it would count the age of code.
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  setFlagsFromString('--no-expose-gc');
  for (const flag of BEFORE_WRITING) setFlagsFromString(flag);
  writeFileSync(output, script.createCachedData());
}

/** Calls `next` once `isTrue` returns true. */
function when(isTrue, next) {
  if (isTrue()) next();
  else setTimeout(() => when(isTrue, next), 20);
}

// The supervisor ends the process through the addon.
const { dlopen } = process;
process.dlopen = (target, ...others) => {
  dlopen.call(process, target, ...others);
  const { exitNow } = target.exports;
  target.exports.exitNow = (code) => {
    writeCache();
    exitNow(code);
  };
};

/** Runs a command of the client, then calls `next`. The client ends by setting the exit code. */
function runClient(words, next) {
  process.exitCode = undefined;
  runProgram(['ctl', '-c', join(folder, 'supervisord.conf'), ...words]);
  when(() => process.exitCode !== undefined, next);
}

/** True when each of the programs that end has ended twice, and only the two others are left. */
function isAtRest() {
  const hasEnded = Array.from({ length: Number(ending) }, (_, n) => existsSync(join(folder, `${n}.again`)));
  if (hasEnded.includes(false)) return false;
  const children = readFileSync('/proc/thread-self/children', 'utf8').trim().split(' ');
  return children.length === 2 && existsSync(join(folder, 'started'));
}

runProgram(['-n', '-c', join(folder, 'supervisord.conf')]);
// A state that depends on the moment would run functions that another build does not run.
when(isAtRest, () =>
  setTimeout(() => {
    runClient(['status'], () => runClient(['health'], () => process.kill(process.pid, 'SIGTERM')));
  }, REST_MS),
);
