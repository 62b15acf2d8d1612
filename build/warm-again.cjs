/**
 * Reads V8's code cache and writes it again. V8 numbers functions in the order in which it first compiles them, which
 * depends on the timing of the run. When it reads a cache, it numbers them in the order of the cache. Arguments: the
 * piece of the program, its cache, the file to write.
 */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { basename } = require('node:path');
const { Script } = require('node:vm');

const [program, cache, output] = process.argv.slice(2);
const script = new Script(readFileSync(program, 'latin1'), {
  filename: basename(program),
  cachedData: readFileSync(cache),
});
if (script.cachedDataRejected) throw new Error('V8 has rejected the code cache that it has made');
writeFileSync(output, script.createCachedData());
