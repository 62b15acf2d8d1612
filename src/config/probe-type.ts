/**
 * Types of the health check options: the check itself (core/probe.ts parses it), and the times between checks. Pure.
 */
import { CommandLineError } from '../core/command-line.ts';
import { formatProbe, formatStatuses, parseProbe, type Probe, ProbeError, type StatusRange } from '../core/probe.ts';
import { refuseUnsplit } from './command-type.ts';
import { dataType, reject } from './datatype.ts';
import { duration, requireText } from './datatypes.ts';
import { strip } from './python-text.ts';

/** A health check. */
export const probe = dataType<Probe>(
  'http://… \\| tcp://host:port \\| unix:///path \\| command',
  (value) => {
    const text = strip(value);
    try {
      const target = parseProbe(text);
      if (target.kind === 'unix') requireText(target.path);
      return target;
    } catch (error) {
      if (error instanceof CommandLineError) return refuseUnsplit(error);
      if (!(error instanceof ProbeError)) throw error;
      return reject(text, error.message);
    }
  },
  formatProbe,
);

/** Statuses of HTTP and ranges of them: `200-299,401`. */
export const statusRanges = dataType<readonly StatusRange[]>(
  'statuses',
  (value) => {
    const words = value.split(/[\s,]+/).filter((word) => word !== '');
    const ranges = words.map((word) => {
      const [, first = '', last = first] = /^(\d{3})(?:-(\d{3}))?$/.exec(word) ?? [];
      return { first: Number(first), last: Number(last) };
    });
    const isValid = ({ first, last }: StatusRange): boolean => first >= 100 && last <= 599 && first <= last;
    if (ranges.length === 0 || !ranges.every(isValid)) return reject(value, 'statuses, for example 200-299,401');
    return ranges;
  },
  formatStatuses,
);

/** Shortest interval or timeout of a check; Docker's is a millisecond too. */
const MIN_CHECK_S = 0.001;

/** An interval or a timeout of checks. */
export const checkDuration = dataType('seconds', (value, context) => {
  const seconds = duration.parse(value, context);
  return seconds >= MIN_CHECK_S ? seconds : reject(value, 'a duration of 1ms or more, for example 500ms, 30s or 1m30s');
});
