/**
 * Decides how each relocation of Node is carried out by the libraries inside. A relocation, variable or function
 * without a rule stops the build: a newer Node must not start with half of its imports. Pure.
 */
import { SegmentType } from './elf-image.ts';
import type { ElfImage, ElfSymbol, Relocation } from './elf-image.ts';
import type { Arch } from '../platform.ts';

/** A word in Node's memory that gets the value of a symbol plus a number, or only the number. */
export interface Word {
  readonly address: number;
  readonly symbol: string | null;
  readonly addend: number;
}

/** A constant of the libraries that is copied into Node's memory. */
export interface ConstantCopy {
  readonly address: number;
  readonly symbol: string;
  readonly size: number;
}

/** A variable of the libraries that lies in Node's memory. */
export interface SharedVariable {
  readonly symbol: string;
  readonly address: number;
}

/** Everything that Node imports, by the way in which it is bound. */
export interface Imports {
  readonly words: readonly Word[];
  readonly copies: readonly ConstantCopy[];
  readonly shared: readonly SharedVariable[];
  /** Words that get the distance of a thread-local variable from the thread pointer. */
  readonly threadWords: readonly Word[];
  /** Symbols that may stay undefined, which makes them 0. */
  readonly optional: readonly string[];
}

type Kind = 'absolute' | 'address' | 'function' | 'copy' | 'thread' | 'number';

/** Relocation types of the processors' ABIs: x86-64 psABI, table 4.9; AArch64 ELF, table 5-13. */
const KINDS: Readonly<Record<Arch, Readonly<Record<number, Kind>>>> = {
  x64: { 1: 'absolute', 5: 'copy', 6: 'address', 7: 'function', 8: 'number', 18: 'thread' },
  arm64: { 257: 'absolute', 1024: 'copy', 1025: 'address', 1026: 'function', 1027: 'number', 1030: 'thread' },
};

/** Functions that the libraries answer in their own way (src/native/libc): those of a loader, and a few more. */
const ANSWERED: ReadonlyMap<string, string> = new Map([
  ['__libc_start_main', 'start_node_main'],
  ['dlopen', 'inside_dlopen'],
  ['dlsym', 'inside_dlsym'],
  ['dlclose', 'inside_dlclose'],
  ['dlerror', 'inside_dlerror'],
  ['dladdr', 'inside_dladdr'],
  ['dl_iterate_phdr', 'dl_iterate_phdr'],
  ['pthread_sigmask', 'inside_pthread_sigmask'],
]);

/** Functions of a dynamic loader. Those of a static glibc would look for libraries in the file system. */
const LOADER_FUNCTION = /^(?:_?dl|__dl|__tls_get_addr|__libc_(?:dl|start))/;

/**
 * Variables that Node and the libraries both write. Each has one place, in Node's memory, under all names that the
 * libraries have for it.
 */
const SHARED: ReadonlyMap<string, readonly string[]> = new Map([
  ['stdin', ['stdin']],
  ['stdout', ['stdout']],
  ['stderr', ['stderr']],
  ['__environ', ['__environ', '_environ', 'environ']],
  ['__timezone', ['__timezone', 'timezone']],
  ['__tzname', ['__tzname', 'tzname']],
  ['_ZSt4cout', ['_ZSt4cout']],
  ['_ZSt4cerr', ['_ZSt4cerr']],
  ['_ZNSt5ctypeIcE2idE', ['_ZNSt5ctypeIcE2idE']],
]);

/**
 * Weak symbols that no library has: hooks of transactional memory, of the profiler and of zstd, initializers of
 * thread-local variables that need none. Every other weak symbol must be in a library, as for a dynamic loader: some
 * code takes a missing one for a process without threads.
 */
const OPTIONAL = /^(?:_ITM_(?:de)?registerTMCloneTable|__gmon_start__|ZSTD_trace_\w+|_ZTH\w+)$/;

/** Sorts the imports of Node. Throws an error that names all for which there is no rule. */
export function sortImports(node: ElfImage): Imports {
  const words: Word[] = [];
  const copies: ConstantCopy[] = [];
  const shared: SharedVariable[] = [];
  const threadWords: Word[] = [];
  const optional = new Set<string>();
  const problems: string[] = [];
  const constants = node.segment(SegmentType.readOnlyAfterRelocation);
  const sort = (relocation: Relocation): void => {
    const { address, addend } = relocation;
    const kind = KINDS[node.arch][relocation.type];
    if (kind === undefined) throw new Error(`a relocation of type ${relocation.type}`);
    if (kind === 'number') return void words.push({ address, symbol: null, addend });
    const symbol = requireSymbol(relocation);
    const { name, size } = symbol;
    if (kind === 'copy') {
      const names = SHARED.get(name);
      // The linker of Node has put constants where they become read-only, and variables elsewhere.
      const isConstant = address >= constants.address && address < constants.address + constants.memorySize;
      if (isConstant) copies.push({ address, symbol: name, size });
      else if (names !== undefined) shared.push(...names.map((one) => ({ symbol: one, address })));
      else throw new Error(`the variable ${name}`);
      return;
    }
    if (kind === 'thread') return void threadWords.push(wordOfThread(symbol, address, addend));
    // A function of a library has an address in Node if Node compares it: that of the entry in Node's own table.
    const isHere = symbol.isDefined || (kind !== 'function' && symbol.address !== 0);
    const sum = kind === 'absolute' ? addend : 0;
    if (isHere) return void words.push({ address, symbol: null, addend: symbol.address + sum });
    if (symbol.isWeak && OPTIONAL.test(name)) optional.add(name);
    words.push({ address, symbol: nameInside(name), addend: sum });
  };
  for (const relocation of node.relocations()) {
    try {
      sort(relocation);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (problems.length > 0)
    throw new Error(
      `cannot link Node with the libraries inside: there is no rule for ${[...new Set(problems)].join(', ')}; ` +
        `add one to build/libc/import-rules.ts`,
    );
  return { words, copies, shared, threadWords, optional: [...optional] };
}

function requireSymbol({ symbol, type }: Relocation): ElfSymbol {
  if (symbol === null) throw new Error(`a relocation of type ${type} without a symbol`);
  return symbol;
}

function wordOfThread(symbol: ElfSymbol, address: number, addend: number): Word {
  if (symbol.isDefined) throw new Error(`the thread-local variable ${symbol.name} of Node itself`);
  return { address, symbol: symbol.name, addend };
}

/** Name in the libraries inside of a function or variable that Node imports. */
function nameInside(name: string): string {
  const answered = ANSWERED.get(name);
  if (answered !== undefined) return answered;
  if (LOADER_FUNCTION.test(name)) throw new Error(`the function ${name}`);
  return name;
}
