/**
 * Changes the linker's own script for static executables so that Node's thread-local variables lie where Node expects
 * them: its code has their distance from the thread pointer as a constant. Pure.
 */
import { THREAD_SECTION } from './import-table.ts';
import type { Arch } from '../platform.ts';

/** The two output sections of thread-local variables in the script of GNU ld. */
const THREAD_SECTIONS = /^ *\.tdata\s*:\s*\{[^}]*\}\s*\.tbss\s*:\s*\{[^}]*\}/m;

const LIBRARIES = [
  '*(.tdata .tdata.* .gnu.linkonce.td.*)',
  // Initialized with zeros in the file: otherwise they would lie behind all others.
  '*(.tbss .tbss.* .gnu.linkonce.tb.*)',
  '*(.tcommon)',
];

/** Alignment of the thread pointer's block; larger than that of any thread-local variable. */
const BLOCK_ALIGNMENT = 64;
/** Size of the control block behind arm64's thread pointer; a larger alignment would move the variables. */
const CONTROL_BLOCK = 16;

/** Takes the script out of what `ld --verbose` prints. */
export function defaultScript(verbose: string): string {
  const script = verbose.split(/^={10,}$/m)[1];
  if (script === undefined) throw new Error('cannot read the script of the linker: GNU ld is needed');
  return script;
}

/** Puts Node's block of `size` bytes into a script. Throws if the script has another form. */
export function withNodeThreadBlock(script: string, arch: Arch, size: number): string {
  const sections =
    arch === 'x64'
      ? // The block ends at the thread pointer (ELF Handling For TLS, variant II): Node's is the last part of it, and
        // its end is a multiple of the alignment.
        [
          ...LIBRARIES,
          `. = ALIGN(${BLOCK_ALIGNMENT});`,
          `. = . + ${(BLOCK_ALIGNMENT - (size % BLOCK_ALIGNMENT)) % BLOCK_ALIGNMENT};`,
          `KEEP (*(${THREAD_SECTION}))`,
        ]
      : // It begins behind the thread pointer (variant I): Node's is the first part of it.
        [`KEEP (*(${THREAD_SECTION}))`, ...LIBRARIES];
  const alignment = arch === 'x64' ? BLOCK_ALIGNMENT : CONTROL_BLOCK;
  const body = [`PROVIDE_HIDDEN (__tdata_start = .);`, ...sections].map((line) => `    ${line}\n`).join('');
  const replaced = script.replace(THREAD_SECTIONS, () => `  .tdata ALIGN(${alignment}) :\n  {\n${body}  }`);
  if (replaced === script) throw new Error('cannot find .tdata and .tbss in the script of the linker');
  return replaced;
}
