/** Runs one piece of the program in a plain Node so that V8's code cache of what was run can be written. */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext, Script } = require('node:vm');

/**
 * Compilers that run at the same time leave traces of their timing in the cache, and the collector takes functions out
 * of it. The flags are restored before the cache is written, because V8 accepts a cache only with the flags it was made
 * with.
 */
const DURING_RUN = ['--no-flush-bytecode', '--no-opt', '--no-maglev', '--no-sparkplug'];
const BEFORE_WRITING = ['--flush-bytecode', '--opt', '--maglev', '--sparkplug'];

/** Loads a piece. It finds the addon where a checkout has it. */
exports.loadPiece = (path) => {
  for (const flag of DURING_RUN) setFlagsFromString(flag);
  const name = basename(path);
  const script = new Script(readFileSync(path, 'latin1'), { filename: name });
  return {
    run(args) {
      process.argv.splice(0, process.argv.length, process.execPath, process.execPath, ...args);
      script.runInThisContext()({}, require, { exports: {} }, name, join(__dirname, '..', 'src', 'native'));
    },
    writeCache(output) {
      // The next collection must not fall into the time with the flags of the executable: it would count the age of
      // code.
      setFlagsFromString('--expose-gc');
      runInNewContext('gc')();
      setFlagsFromString('--no-expose-gc');
      for (const flag of BEFORE_WRITING) setFlagsFromString(flag);
      writeFileSync(output, script.createCachedData());
    },
  };
};

/** Calls `next` once `isTrue` returns true. */
exports.when = function when(isTrue, next) {
  if (isTrue()) next();
  else setTimeout(() => when(isTrue, next), 20);
};
