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
  /** Each iteration makes them anew. */
  readonly samples: Iterable<Sample>;
}

/** A text format and its media type. */
export interface MetricsFormat {
  readonly type: string;
  /** Makes the text in pieces, each of little work. A family without samples is left out. */
  readonly format: (families: readonly Family[]) => Generator<string>;
}

/** Maximum number of samples in a piece of the text. */
const SAMPLES_PER_PIECE = 200;

/** The format of Prometheus, which all of its versions read. */
export const PROMETHEUS: MetricsFormat = {
  type: 'text/plain; version=0.0.4; charset=utf-8',
  format: (families) => formatFamilies(families, formatHead),
};

/** The format of OpenMetrics, for those that ask for it. */
export const OPENMETRICS: MetricsFormat = {
  type: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  *format(families) {
    yield* formatFamilies(families, formatOpenHead);
    yield '# EOF\n';
  },
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

function* formatFamilies(families: readonly Family[], headOf: (family: Family) => string): Generator<string> {
  for (const family of families) {
    const { name, samples } = family;
    let [text, count] = ['', 0];
    for (const { labels, value } of samples) {
      if (count === 0) text = headOf(family);
      text += labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`;
      count += 1;
      if (count % SAMPLES_PER_PIECE > 0) continue;
      yield text;
      text = '';
    }
    if (text !== '') yield text;
  }
}

function formatHead({ name, type, help }: Family): string {
  return `# HELP ${name} ${help}.\n# TYPE ${name} ${type}\n`;
}

/** OpenMetrics declares a counter without its `_total`, and has a unit, which the name ends with. */
function formatOpenHead({ name: fullName, type, help }: Family): string {
  const name = type === 'counter' ? fullName.replace(/_total$/, '') : fullName;
  const unit = /_(seconds|bytes)$/.exec(name)?.[1];
  const unitLine = unit === undefined ? '' : `# UNIT ${name} ${unit}\n`;
  const helpText = help.replace(/["\\]/g, '\\$&');
  return `# TYPE ${name} ${type}\n${unitLine}# HELP ${name} ${helpText}.\n`;
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
