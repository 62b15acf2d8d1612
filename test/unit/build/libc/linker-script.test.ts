/** The linker's script with the place for Node's thread-local variables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkFailure } from '../../../../build/libc/libraries.ts';
import { defaultScript, withNodeThreadBlock } from '../../../../build/libc/linker-script.ts';

const RULE = '='.repeat(50);
const SCRIPT = `SECTIONS
{
  .text : { *(.text) }
  .tdata	  :
   {
     PROVIDE_HIDDEN (__tdata_start = .);
     *(.tdata .tdata.* .gnu.linkonce.td.*)
   }
  .tbss		  : { *(.tbss .tbss.* .gnu.linkonce.tb.*) *(.tcommon) }
  .preinit_array    : { }
}`;

test('is what stands between the rules of ld --verbose', () => {
  assert.equal(defaultScript(`GNU ld\n${RULE}\n${SCRIPT}\n${RULE}\n`), `\n${SCRIPT}\n`);
  assert.throws(() => defaultScript('LLD 16'), /GNU ld is needed/);
});

test("on x64, Node's block is the last one and ends at a multiple of the alignment", () => {
  const script = withNodeThreadBlock(SCRIPT, 'x64', 424);
  assert.match(script, /\*\(\.tcommon\)\s+\. = ALIGN\(64\);\s+\. = \. \+ 24;\s+KEEP \(\*\(\.node_thread\)\)\s+\}/);
  assert.match(script, /\.tdata ALIGN\(64\) :/);
  assert.ok(script.includes('.preinit_array') && script.includes('__tdata_start'));
  assert.doesNotMatch(script, /\.tbss\s*:/);
  assert.match(withNodeThreadBlock(SCRIPT, 'x64', 128), /\. = \. \+ 0;/);
});

test('on arm64, it is the first one', () => {
  const script = withNodeThreadBlock(SCRIPT, 'arm64', 424);
  assert.match(
    script,
    /\.tdata ALIGN\(16\) :\s+\{\s+PROVIDE_HIDDEN \(__tdata_start = \.\);\s+KEEP \(\*\(\.node_thread\)\)/,
  );
});

test('another form of the script stops the build', () => {
  assert.throws(() => withNodeThreadBlock('SECTIONS { }', 'x64', 8), /cannot find \.tdata and \.tbss/);
});

test('a failed link names the imports that no library has, each once', () => {
  const line = "ld: (.data+0x8): undefined reference to `arc4random'\n";
  assert.match(linkFailure(line + line), /have no arc4random; Debian's package g\+\+/);
  assert.match(
    linkFailure('ld: cannot find -lstdc++\n'),
    /^cannot link the libraries inside:\nld: cannot find -lstdc\+\+$/,
  );
});
