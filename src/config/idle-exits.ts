/**
 * Finding of `check --strict`: an exit_on_failure or exit_on_end that can never act. The warnings of advice.ts, which
 * every check has, cover an exit_on_failure without any limit of restarts. Pure.
 */
import { type Judged, problemOf, processesOf } from './findings.ts';
import type { Problem, ProcessConfig, ProcessOptions } from './model.ts';
import { sectionNameOf } from './section-names.ts';

/** Finds the options that end the container, and never can. */
export function findIdleExits(judged: Judged): Problem[] {
  const isSet = (proc: ProcessConfig, option: string): boolean =>
    judged.findOption(sectionNameOf(proc), option) !== undefined;
  return processesOf(judged.config).flatMap((proc) => {
    const { options } = proc;
    const found: Problem[] = [];
    if (options.exit_on_failure && isSet(proc, 'exit_on_failure')) {
      const reason = explainUnreachedLimit(options);
      if (reason !== null) found.push(problemOf(judged, proc, 'max_restarts', reason));
    }
    if (options.exit_on_end && isSet(proc, 'exit_on_end') && options.cron !== null)
      found.push(problemOf(judged, proc, 'exit_on_end', SCHEDULED_END));
    return found;
  });
}

const SCHEDULED_END =
  'never acts on a program with a schedule, whose end is never the last one; remove it, or set exit_on_failure=true';

/**
 * Explains a max_restarts that no program can reach within its window, although nothing else limits the restarts;
 * null if it can be reached. The restart after N others is refused if all N were within the window
 * (core/restart-policy.ts).
 */
function explainUnreachedLimit(options: ProcessOptions): string | null {
  const { max_restarts: limit, max_restarts_window: window, restartpause, startsecs, startretries } = options;
  // With startsecs=0 there is a restart each second at most, and an early exit is no failed start.
  const hasNoFailedStart = startsecs === 0 && !options.oneshot;
  const isEndless = options.autorestart !== 'false' || options.oneshot;
  if (limit === null || options.cron !== null || !isEndless || (startretries >= 0 && !hasNoFailedStart)) return null;
  const pause = Math.max(restartpause, hasNoFailedStart ? 1 : 0);
  const needed = (limit - 1) * pause;
  if (limit < 2 || needed < window) return null;
  return (
    `is never reached, so exit_on_failure never acts: ${limit} restarts, ${pause} s or more apart, take ${needed} s, ` +
    `and max_restarts_window is ${window} s; set max_restarts_window=${needed + pause * 2} or a lower max_restarts`
  );
}
