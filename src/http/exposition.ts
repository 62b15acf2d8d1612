/**
 * The text format of Prometheus, version 0.0.4. Knows no metric.
 */

/** A value with its labels, as {@link formatLabels} writes them. */
export interface Sample {
  readonly labels: string;
  readonly value: number;
}

/** A metric with all its samples. */
export interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  /** One sentence, without its full stop. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Media type of the answer. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Quotes the value of a label, which may contain any character. */
function quote(value: string): string {
  return `"${value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`;
}

/** Formats labels as `group="web",name="web"`. */
export function formatLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${quote(value)}`)
    .join(',');
}

function formatFamily({ name, type, help, samples }: Family): string {
  const lines = samples.map(({ labels, value }) =>
    labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`,
  );
  return `# HELP ${name} ${help}.\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

/** Formats all families; a family without samples is left out. */
export function formatFamilies(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(formatFamily)
    .join('');
}
