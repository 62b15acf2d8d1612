// Loaded with `node -r` before every build program: says in one sentence what is wrong when `node` is not the pinned Node 24.
// Plain JavaScript, because an older Node cannot read the TypeScript files that come after it.
'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
const pins = require('../package.json').optionalDependencies;
const name = `node-linux-${process.arch}`;

/** @returns {string | null} why this Node cannot run the build, null when it can */
function problem() {
  if (process.platform !== 'linux' || pins[name] === undefined) {
    return `onevisor is built on Linux, x64 or arm64; this is ${process.platform} ${process.arch}`;
  }
  if (!existsSync(join(root, 'node_modules', name, 'bin', 'node'))) {
    return `the package ${name}@${pins[name]} is not installed: run "npm ci", without --omit=optional`;
  }
  if (process.version !== `v${pins[name]}`) {
    return `this is Node ${process.version}, the build needs v${pins[name]} of node_modules/.bin/node: use "npm run", or that file itself`;
  }
  return null;
}

const found = problem();
if (found !== null) {
  process.stderr.write(`cannot run the build: ${found}\n`);
  process.exit(1);
}
