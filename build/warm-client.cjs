/**
 * Runs the client's `status` and `health`, and writes its code cache. warm-cache.ts starts this script. Arguments: the
 * piece, the configuration of the supervisor that is asked, and the file to write.
 */
'use strict';
const { loadPiece, when } = require('./warm.cjs');

const [piece, configuration, output] = process.argv.slice(2);
const client = loadPiece(piece);

/** Runs a command, which must end with `code`, and then calls `next`. The client ends by setting the exit code. */
function run(words, code, next) {
  process.exitCode = undefined;
  client.run(['ctl', '-c', configuration, ...words]);
  when(
    () => process.exitCode !== undefined,
    () => {
      if (process.exitCode !== code) throw new Error(`${words.join(' ')} ended with ${process.exitCode}`);
      next();
    },
  );
}

// Programs have ended, and status says so with 3.
run(['status'], 3, () =>
  run(['health'], 0, () => {
    process.exitCode = 0;
    client.writeCache(output);
  }),
);
