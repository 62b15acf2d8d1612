/**
 * Patterns of paths, matched one name at a time while a tree of directories is walked. `*`, `?` and `[...]` stand for
 * text within a name, `**` for any number of directories. A pattern that matches a directory means all files below it.
 * Wildcards leave out names that begin with a dot or end with `~`, and `node_modules`. Pure.
 */
import { createPartMatcher, hasWildcard } from './wildcard.ts';

/** One name of a pattern. `deep`: `**`. */
type Part =
  | { readonly kind: 'literal'; readonly name: string }
  | { readonly kind: 'pattern'; readonly matches: (name: string) => boolean }
  | { readonly kind: 'deep' };

/**
 * The next part of one pattern in a directory. After the last part, the directory itself or one above it has matched.
 */
interface Position {
  readonly pattern: number;
  readonly part: number;
}

/** The places of a directory in all patterns; never empty for a directory that matters. */
export type Positions = readonly Position[];

/** Result of a step from a directory to one of its names. */
export interface Step {
  /** True if a file of that name matches. */
  readonly isMatch: boolean;
  /** True if it matches one of the patterns themselves, not only the target of a link. */
  readonly isWanted: boolean;
  /** Places of a directory of that name. If empty, nothing below it can match. */
  readonly positions: Positions;
}

/** Separates the directory trees of packages, which hold far more files than programs. */
const PACKAGES = 'node_modules';

/** True for a name that wildcards leave out: hidden files, backups of editors, packages. */
function isLeftOut(name: string): boolean {
  return name.startsWith('.') || name.endsWith('~') || name === PACKAGES;
}

function parsePart(name: string): Part {
  if (name === '**') return { kind: 'deep' };
  if (!hasWildcard(name)) return { kind: 'literal', name };
  const isMatch = createPartMatcher(name);
  const isHidden = name.startsWith('.');
  return { kind: 'pattern', matches: (word) => (isHidden || !isLeftOut(word)) && isMatch(word) };
}

/** Several patterns, walked together. */
export class PathPatterns {
  readonly #patterns: ReadonlyArray<readonly Part[]>;
  readonly #wanted: number;

  /** `patterns`: absolute paths. `linkTargets`: absolute paths to which symbolic links lead. */
  constructor(patterns: readonly string[], linkTargets: readonly string[] = []) {
    this.#wanted = patterns.length;
    this.#patterns = [...patterns, ...linkTargets.map(escapeWildcards)].map((pattern) =>
      pattern
        .split('/')
        .filter((name) => name !== '' && name !== '.')
        .map(parsePart),
    );
  }

  /** Returns the positions of the root directory. */
  root(): Positions {
    return this.#patterns.flatMap((_parts, pattern) => this.#withEmptyDeep({ pattern, part: 0 }));
  }

  /** Returns the only names in a directory that can match; null if any name can. */
  namesIn(positions: Positions): readonly string[] | null {
    const names = new Set<string>();
    for (const { pattern, part } of positions) {
      const wanted = this.#patterns[pattern]?.[part];
      if (wanted?.kind !== 'literal') return null;
      names.add(wanted.name);
    }
    return [...names];
  }

  /**
   * Steps from a directory to one of its names. `isLink`: the name is a symbolic link. A link to a directory is
   * followed only if a part of the pattern names it, because `**` could go round in a circle.
   */
  enter(positions: Positions, name: string, isLink: boolean): Step {
    let isMatch = false;
    let isWanted = false;
    const next: Position[] = [];
    for (const position of positions) {
      const { pattern, part } = position;
      const parts = this.#patterns[pattern] ?? [];
      const wanted = parts[part];
      const isInside = wanted === undefined || wanted.kind === 'deep';
      if (isInside ? isLeftOut(name) : !matchesPart(wanted, name)) continue;
      const isLast = part + (isInside ? 0 : 1) >= parts.length || (isInside && part === parts.length - 1);
      isMatch ||= isLast;
      isWanted ||= isLast && pattern < this.#wanted;
      if (!isInside) next.push(...this.#withEmptyDeep({ pattern, part: part + 1 }));
      else if (!isLink) next.push(...this.#withEmptyDeep(position));
    }
    return { isMatch, isWanted, positions: dropRepeated(next) };
  }

  /** Returns a position, and for `**` also the position after it, since `**` can stand for no directory. */
  #withEmptyDeep(position: Position): Position[] {
    const { pattern, part } = position;
    const parts = this.#patterns[pattern] ?? [];
    if (parts[part]?.kind !== 'deep' || part === parts.length - 1) return [position];
    return [position, ...this.#withEmptyDeep({ pattern, part: part + 1 })];
  }
}

function matchesPart(part: Exclude<Part, { kind: 'deep' }>, name: string): boolean {
  return part.kind === 'literal' ? part.name === name : part.matches(name);
}

function dropRepeated(positions: Positions): Positions {
  const seen = new Set<string>();
  return positions.filter(({ pattern, part }) => {
    const key = `${pattern}.${part}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Escapes a path that is no pattern. */
export function escapeWildcards(path: string): string {
  return path.replace(/[*?[]/g, '[$&]');
}
