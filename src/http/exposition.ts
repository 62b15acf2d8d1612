/**
 * The text formats of metrics: that of Prometheus, version 0.0.4, and OpenMetrics 1.0.0. Knows no metric.
 */

/** A value with its labels, as {@link formatLabels} writes them. */
export interface Sample {
  readonly labels: string;
  readonly value: number;
}

/** A metric with all its samples. */
export interface Family {
  /** The name of a counter ends with `_total`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  /** One sentence, without its full stop. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** A text format and its media type. */
export interface MetricsFormat {
  readonly type: string;
  readonly format: (families: readonly Family[]) => string;
}

/** The format of Prometheus, which all of its versions read. */
export const PROMETHEUS: MetricsFormat = {
  type: 'text/plain; version=0.0.4; charset=utf-8',
  format: (families) => formatFamilies(families),
};

/** The format of OpenMetrics, for those that ask for it. */
export const OPENMETRICS: MetricsFormat = {
  type: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  format: (families) => `${shown(families).map(formatOpenFamily).join('')}# EOF\n`,
};

/** Longest part of an Accept header that is read. */
const MOST_ACCEPTED = 2048;

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

function formatSamples({ name, samples }: Family): string {
  return samples
    .map(({ labels, value }) => (labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`))
    .join('');
}

function formatFamily(family: Family): string {
  const { name, type, help } = family;
  return `# HELP ${name} ${help}.\n# TYPE ${name} ${type}\n${formatSamples(family)}`;
}

/** OpenMetrics declares a counter without its `_total`, and has a unit, which the name ends with. */
function formatOpenFamily(family: Family): string {
  const { type, help } = family;
  const name = type === 'counter' ? family.name.replace(/_total$/, '') : family.name;
  const unit = /_(seconds|bytes)$/.exec(name)?.[1];
  const unitLine = unit === undefined ? '' : `# UNIT ${name} ${unit}\n`;
  const helpText = help.replace(/["\\]/g, '\\$&');
  return `# TYPE ${name} ${type}\n${unitLine}# HELP ${name} ${helpText}.\n${formatSamples(family)}`;
}

/** Leaves out families without samples. */
function shown(families: readonly Family[]): readonly Family[] {
  return families.filter(({ samples }) => samples.length > 0);
}

/** Formats all families for Prometheus; a family without samples is left out. */
export function formatFamilies(families: readonly Family[]): string {
  return shown(families).map(formatFamily).join('');
}

/** Returns the weight that a part of an Accept header gives to a media type (RFC 9110, 12.5.1). */
function weightOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
  const weight = Number(text);
  return Number.isFinite(weight) ? weight : 0;
}

/**
 * Chooses the format that a client prefers. OpenMetrics only for those that name it, in version 1.0.0 or in none, and
 * weigh it no less than plain text.
 */
export function chooseFormat(accepted: string | undefined): MetricsFormat {
  let [open, plain] = [0, 0];
  for (const part of (accepted ?? '').slice(0, MOST_ACCEPTED).toLowerCase().split(',')) {
    const [type, ...parameters] = part.split(';').map((piece) => piece.trim());
    const version = parameters.find((parameter) => parameter.startsWith('version='));
    if (type === 'text/plain') plain = Math.max(plain, weightOf(parameters));
    if (type === 'application/openmetrics-text' && (version === undefined || version === 'version=1.0.0'))
      open = Math.max(open, weightOf(parameters));
  }
  return open > 0 && open >= plain ? OPENMETRICS : PROMETHEUS;
}
