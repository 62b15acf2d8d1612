/** The surroundings of a case: the rig, the contenders, the size of the run, and the notes under the table. */
import type { Contenders } from './contenders.ts';
import type { Row } from './figures.ts';
import type { Rig } from './rig.ts';

export interface Bench {
  readonly rig: Rig;
  readonly contenders: Contenders;
  /** Returns the first value in a full run, and the second with --quick. */
  readonly pick: <T>(full: T, quick: T) => T;
  /** The same for a number of rounds, which --rounds can set. */
  readonly rounds: (full: number, quick: number) => number;
  /** Adds a line to be printed under the table. */
  readonly note: (text: string) => void;
}

/** A case: its name on the command line, a sentence for --help, and its measurement. */
export interface Case {
  readonly name: string;
  readonly about: string;
  run(bench: Bench): Promise<readonly Row[]>;
}
