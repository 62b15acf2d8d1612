/**
 * Runs the supervisor until it is sent SIGTERM, and writes its code cache then. Creates the file `at-rest` once its
 * programs have done what they do. warm-cache.ts starts this script. Arguments: the piece, the folder of the run, the
 * file to write, and the number of programs that end twice.
 */
'use strict';
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { loadPiece, when } = require('./warm.cjs');

/** Time in which the supervisor has handled what it has reaped. */
const REST_MS = 300;

const [piece, folder, output, ending] = process.argv.slice(2);
const supervisor = loadPiece(piece);

// The supervisor ends the process through the addon.
const { dlopen } = process;
process.dlopen = (target, ...others) => {
  dlopen.call(process, target, ...others);
  const { exitNow } = target.exports;
  target.exports.exitNow = (code) => {
    supervisor.writeCache(output);
    exitNow(code);
  };
};

/** True when each of the programs that end has ended twice, and only the two others are left. */
function isAtRest() {
  const hasEnded = Array.from({ length: Number(ending) }, (_, n) => existsSync(join(folder, `${n}.again`)));
  if (hasEnded.includes(false)) return false;
  const children = readFileSync('/proc/thread-self/children', 'utf8').trim().split(' ');
  return children.length === 2 && existsSync(join(folder, 'started'));
}

supervisor.run(['-n', '-c', join(folder, 'supervisord.conf')]);
// A state that depends on the moment would run functions that another build does not run.
when(isAtRest, () => setTimeout(() => writeFileSync(join(folder, 'at-rest'), ''), REST_MS));
