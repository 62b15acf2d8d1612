// Loaded with `node -r` before every build program. Runs the program with the pinned Node 24, or explains why that is
// impossible. Plain JavaScript, because an older Node cannot read the TypeScript files that follow.
'use strict';
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { delimiter, dirname, join } = require('node:path');

const pins = require('../package.json').optionalDependencies;
const name = `node-linux-${process.arch}`;
const pinned = join(__dirname, '..', 'node_modules', name, 'bin', 'node');

/** @returns {string | null} the reason why the build cannot run here; null if it can */
function problem() {
  if (process.platform !== 'linux' || pins[name] === undefined) {
    return `onevisor is built on Linux, x64 or arm64; this is ${process.platform} ${process.arch}`;
  }
  if (!existsSync(pinned))
    return `the package ${name}@${pins[name]} is not installed: run "npm ci", without --omit=optional`;
  return null;
}

const found = problem();
if (found !== null) {
  process.stderr.write(`cannot run the build: ${found}\n`);
  process.exit(1);
}
if (process.version !== `v${pins[name]}`) {
  // npm before 11 creates no node_modules/.bin/node if two packages provide it. So `node` is the machine's own here.
  const env = { ...process.env, PATH: `${dirname(pinned)}${delimiter}${process.env.PATH}` };
  const { status, error } = spawnSync(pinned, process.argv.slice(1), { stdio: 'inherit', env });
  if (error) process.stderr.write(`cannot run the build: ${pinned}: ${error.message}\n`);
  process.exit(status ?? 1);
}
