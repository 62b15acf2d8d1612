/** The output of the programs in this executable. */

/** Standard output and standard error. */
export interface ProgramIo {
  /** Writes to standard output. */
  out(text: string): void;
  /** Writes to standard error. */
  err(text: string): void;
}
