/** Calls that wait until something about a sink is true. */

/** A condition that is not met yet. */
interface Condition {
  readonly isMet: () => boolean;
  readonly met: () => void;
}

/** Calls that wait for conditions. Holds no memory while there are none. */
export class Conditions {
  #open: Set<Condition> | null = null;

  /** Calls `met` once when `isMet` returns true: now, or at a later look. Returns the function that ends the wait. */
  add(isMet: () => boolean, met: () => void): () => void {
    if (isMet()) {
      met();
      return () => undefined;
    }
    const condition = { isMet, met };
    this.#open ??= new Set();
    this.#open.add(condition);
    return () => void this.#open?.delete(condition);
  }

  /** Looks at all conditions, because something has changed. */
  look(): void {
    if (this.#open === null) return;
    const open = this.#open;
    for (const condition of open) {
      if (!condition.isMet()) continue;
      open.delete(condition);
      condition.met();
    }
    if (open.size === 0 && this.#open === open) this.#open = null;
  }
}
