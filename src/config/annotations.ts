/**
 * Problems of a configuration as annotations of GitHub (`check --format github`): the workflow commands `error`,
 * `warning` and `notice`. Escapes as actions/toolkit does (packages/core/src/command.ts). Pure.
 */
import { posix } from 'node:path';
import { showText } from '../core/shown-text.ts';
import type { Problem, Reading } from './model.ts';
import { isNote, withoutNote } from './problems.ts';

/** Longest message, as in the other forms of output. */
const MAX_MESSAGE = 2000;

function escapeData(text: string): string {
  return text.toWellFormed().replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** A value of a property also must not have the characters that end it. */
function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/**
 * Formats the problems, one on each line. `root`: directory of the checkout. Files below it get paths relative to it,
 * as GitHub wants them; this also works in a container that has the checkout at another path.
 */
export function formatAnnotations({ errors, warnings }: Pick<Reading, 'errors' | 'warnings'>, root: string): string {
  const lines = [
    ...errors.map((problem) => formatAnnotation('error', problem, root)),
    ...warnings.map((problem) => formatAnnotation(isNote(problem.reason) ? 'notice' : 'warning', problem, root)),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function formatAnnotation(command: string, problem: Problem, root: string): string {
  const { file, line, section, option, reason } = problem;
  // A problem that is not in a file has the name of a variable or a flag in place of the path.
  const isFile = posix.isAbsolute(file);
  const title = [section === '' ? '' : `[${section}]`, option ?? ''].filter((part) => part !== '').join(' ');
  const properties = [
    ...(isFile ? [`file=${escapeProperty(shortenPath(file, root))}`] : []),
    ...(isFile && line > 0 ? [`line=${line}`] : []),
    `title=${escapeProperty(title === '' ? 'onevisor check' : title)}`,
  ];
  const origin = isFile ? '' : `${showText(file, MAX_MESSAGE)}: `;
  const message = origin + showText(withoutNote(reason), MAX_MESSAGE);
  return `::${command} ${properties.join(',')}::${escapeData(message)}`;
}

function shortenPath(file: string, root: string): string {
  const path = posix.relative(root, file);
  return path === '' || path.startsWith('../') ? file : path;
}
