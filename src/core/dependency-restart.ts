/**
 * Decides when a process follows its dependencies (`depends_on=db:healthy:restart`): it is restarted when a new run of
 * one has met its condition. A run is known by its start, since a process that was removed and added counts anew. Pure.
 */

/** Start that is known of a dependency that was not executed yet when the process began to follow it. */
export const BEFORE_FIRST_RUN = -1;

/** The facts about one dependency that a process follows. */
export interface FollowedDependency {
  /** Namespec. */
  readonly id: string;
  /** Name for people. */
  readonly name: string;
  /** Start of its latest run; null if that run was not executed. */
  readonly startedMs: number | null;
  /** Start of the latest of its runs that the current run of the process has seen; null if it was not followed then. */
  readonly knownStartMs: number | null;
  /** True if its latest run is the first one since it was added. */
  readonly isFirstRun: boolean;
  /** True if the latest run meets the condition. */
  readonly isMet: boolean;
  /** True if the condition is not met, and may be met without help. */
  readonly isAwaited: boolean;
  /** True if the dependency itself is about to be restarted by those that it follows. */
  readonly isAboutToRestart: boolean;
}

/** True if the process has to follow this dependency: a new run has met the condition. */
function isNew({ isMet, startedMs, knownStartMs, isFirstRun }: FollowedDependency): boolean {
  if (!isMet || knownStartMs === null) return false;
  return knownStartMs === BEFORE_FIRST_RUN ? !isFirstRun : startedMs !== knownStartMs;
}

/**
 * Returns the names of the dependencies whose new runs ask for a restart now. Empty while another one is about to have
 * a new run, too: a process that follows several is restarted once, after the last of them.
 */
export function findNewRuns(followed: readonly FollowedDependency[]): string[] {
  if (followed.some(({ isAwaited, isAboutToRestart }) => isAwaited || isAboutToRestart)) return [];
  return [...new Set(followed.filter(isNew).map(({ name }) => name))];
}

/** True if a process that is up will be restarted by the dependencies that it follows, as far as is known. */
export function isAboutToFollow(followed: readonly FollowedDependency[]): boolean {
  return followed.some((one) => one.isAboutToRestart || one.isAwaited || isNew(one));
}
