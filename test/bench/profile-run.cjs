/**
 * profile-run PROGRAM OUTPUT ARGUMENT...: runs our program in a plain Node with the given arguments, and writes a CPU
 * profile of its whole run to OUTPUT (open it with Chrome's developer tools for a flame graph). The executable itself
 * takes no options of Node.
 */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { Session } = require('node:inspector');
const { join } = require('node:path');
const { Script } = require('node:vm');

const [program, output, ...args] = process.argv.slice(2);
const session = new Session();
session.connect();

// The supervisor ends the process through the addon.
const { dlopen } = process;
process.dlopen = (target, ...others) => {
  dlopen.call(process, target, ...others);
  const { exitNow } = target.exports;
  target.exports.exitNow = (code) => {
    session.post('Profiler.stop', (_error, result) => writeFileSync(output, JSON.stringify(result.profile)));
    exitNow(code);
  };
};

session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: 200 });
session.post('Profiler.start');
process.argv.splice(0, process.argv.length, process.execPath, process.execPath, ...args);
const native = join(__dirname, '..', '..', 'src', 'native');
const script = new Script(readFileSync(program, 'latin1'), { filename: 'onevisor.cjs' });
script.runInThisContext()({}, require, { exports: {} }, 'onevisor.cjs', native);
