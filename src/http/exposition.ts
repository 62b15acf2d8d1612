/**
 * The text format of Prometheus, version 0.0.4: families of samples → text. It knows no metric.
 */

/** A value with its labels, which {@link formatLabels} has written. */
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

/** What the answer is declared to be. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A value of a label, in which anything may stand, between quotes. */
function quote(value: string): string {
  return `"${value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`;
}

/** `group="web",name="web"` */
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

/** The whole text; a family without samples is left out. */
export function formatFamilies(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(formatFamily)
    .join('');
}
