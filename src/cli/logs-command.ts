/** The row of the command `logs`. Pure data. */
import { FAILED, NAMES, NO_SUPERVISOR } from './command-phrases.ts';
import type { CommandSpec } from './command-spec.ts';

/** See ctl/commands/logs.ts. */
export const logsCommand: CommandSpec = {
  name: 'logs',
  kind: 'client',
  group: 'look',
  summary: 'Show the lines of programs in one order, or follow them',
  usage: ['logs [OPTIONS] [NAME…]'],
  takes: ['processes'],
  options: [
    { names: ['-f', '--follow'], help: 'follow until Ctrl-C, over restarts, rotation and updates' },
    {
      names: ['-n', '--tail'],
      value: 'LINES',
      valueKind: 'text',
      help: 'the last LINES lines, or `all`; 100 without this, all with --since',
    },
    {
      names: ['--since'],
      value: 'TIME',
      valueKind: 'text',
      help: '10m ago, 10:30, 2026-11-29T10:30:00Z; reads log files',
    },
    { names: ['--until'], value: 'TIME', valueKind: 'text', help: 'only lines up to this time' },
    { names: ['--stdout'], help: 'only lines of stdout; also --stream out' },
    { names: ['--stderr'], help: 'only lines of stderr; also --stream err' },
    { names: ['--grep'], value: 'RE', valueKind: 'text', help: 'only lines that match; with several, any of them' },
    { names: ['-i', '--ignore-case'], help: 'ignore case in --grep and --highlight' },
    { names: ['-v', '--invert'], help: 'only lines that do not match --grep' },
    {
      names: ['--level'],
      value: 'LEVEL',
      valueKind: 'text',
      help: 'only lines of this level or above, from trace to fatal',
    },
    { names: ['--highlight'], value: 'RE', valueKind: 'text', help: 'mark what matches' },
    { names: ['-t', '--timestamps'], help: 'the time before each line; --utc for UTC' },
    {
      names: ['--output'],
      value: 'FORM',
      valueKind: 'text',
      help: 'text, json (one object a line), or raw (the lines alone)',
    },
    { names: ['--json'], help: 'the same as --output json' },
    { names: ['--no-prefix'], help: 'no names before the lines' },
    { names: ['--no-events'], help: 'no lines about starts, ends and health' },
    { names: ['--no-color'], help: 'no colours; --color for colours through a pipe' },
    { names: ['--previous'], help: 'the latest run that has ended, from memory and log files' },
    { names: ['--until-exit'], help: 'follow until each program has ended once; exit as the first that failed' },
  ],
  details: [
    'The sign after a name is `|` for stdout, `!` for stderr, and `*` for an event: a start, an end and its cause, ' +
      'health. The name `supervisor` is the log of the supervisor itself.',
    NAMES,
    'With --until-exit, the exit code is that of the first program that ends with another one than 0. It is 128 and ' +
      'the number for a signal, and 127 for a command that cannot be executed. A program that does not run counts ' +
      'with its latest end.',
    'Regular expressions are those of JavaScript. They look at the first 16384 characters of a line.',
  ],
  examples: [
    { line: 'onevisor logs', effect: 'the last 100 lines of all programs' },
    { line: "onevisor logs -f web 'worker:*'", effect: 'from now on, also of programs that come later' },
    { line: 'onevisor logs --since 10m --level warn', effect: 'warnings and errors of the last ten minutes' },
    { line: "onevisor logs -n 20 --grep 'time ?out' web", effect: 'the last 20 lines that match' },
    { line: 'onevisor logs --json --previous web', effect: 'the run before, for a script' },
  ],
  exitCodes: [FAILED, [2, 'an option is wrong'], NO_SUPERVISOR, [130, 'Ctrl-C has ended it']],
};
