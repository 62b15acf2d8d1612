/**
 * Recognises templates (Jinja, ERB, envsubst) that were not rendered. Pure.
 */
import type { Problem } from './model.ts';
import { splitLines } from './python-text.ts';

/** Lines of one file with marks of a template. */
export interface TemplateLines {
  /** Lines with `{{ … }}`, `{% … %}` or `<% … %>`, which only templates have. */
  readonly sure: ReadonlySet<number>;
  /** Lines with `${…}`, which shell commands have too. */
  readonly likely: ReadonlySet<number>;
  /** The first mark, for the message. */
  readonly mark: string;
}

const SURE = /\{\{|\{%|<%/;
const LIKELY = /\$\{[A-Za-z_]/;
/** From this number of lines with an error and `${…}` on, the file is taken for a template. */
const ENOUGH_LIKELY = 3;

/** Finds the marks in the text of a file. */
export function findTemplateLines(text: string): TemplateLines {
  const sure = new Set<number>();
  const likely = new Set<number>();
  let mark = '';
  splitLines(text).forEach((line, index) => {
    const found = SURE.exec(line)?.[0];
    if (found !== undefined) {
      if (sure.size === 0) mark = found;
      sure.add(index + 1);
    } else if (LIKELY.test(line)) likely.add(index + 1);
  });
  return {
    sure,
    likely,
    mark: mark === '' ? '${…}' : `${mark} … ${mark.replace('{{', '}}').replace('{%', '%}').replace('<%', '%>')}`,
  };
}

/**
 * Replaces the errors on the lines of a template by one error. Returns null if there are no such errors.
 */
export function foldTemplate(
  errors: readonly Problem[],
  file: string,
  { sure, likely, mark }: TemplateLines,
): { readonly errors: Problem[]; readonly lines: ReadonlySet<number> } | null {
  const linesWith = (lines: ReadonlySet<number>): Problem[] =>
    errors.filter((error) => error.file === file && lines.has(error.line));
  const lines = linesWith(sure).length > 0 ? new Set([...sure, ...likely]) : likely;
  const folded = linesWith(lines);
  const [first] = folded;
  if (first === undefined || (linesWith(sure).length === 0 && folded.length < ENOUGH_LIKELY)) return null;
  const count = lines.size === 1 ? 'one line' : `${lines.size} lines`;
  const reason =
    `this looks like a template that was not rendered: ${mark} in ${count}; run the program that fills it in, ` +
    'and read its output';
  const one: Problem = { file, line: Math.min(...folded.map(({ line }) => line)), section: '', option: null, reason };
  return { errors: [one, ...errors.filter((error) => !folded.includes(error))], lines };
}
