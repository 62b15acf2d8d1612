/** Charts and the timeline of a program over the same stretch of time. */
import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { EventAnswer } from '../api/types.ts';
import { formatDaytime, formatTime } from '../ctl/amounts.ts';
import { logsHref } from './routes.ts';
import { t } from './texts.ts';
import { chartPath, describeChange, highest, nearest, type Series, spansOf, type Stretch, within } from './timeline.ts';

/** Number of events in the list. */
const SHOWN_EVENTS = 30;

interface ChartProps {
  readonly title: string;
  readonly series: Series;
  readonly stretch: Stretch;
  readonly format: (value: number) => string;
  /** Smallest value at the top of the chart. */
  readonly least: number;
}

/** A line over time. The value at the pointer is shown; without a pointer, the latest one. */
export function UsageChart({ title, series, stretch, format, least }: ChartProps) {
  const pointed = useMemo(() => signal<number | null>(null), []);
  const shown = within(series, stretch);
  const peak = highest(shown.values);
  const top = Math.max(least, peak) * 1.1;
  const { since, until } = stretch;
  const index = pointed.value === null ? shown.at.length - 1 : nearest(shown.at, pointed.value);
  const at = shown.at[index];
  const value = shown.values[index];
  const x = at === undefined ? 0 : ((at - since) / (until - since)) * 1000;
  const path = chartPath(shown, stretch, top);
  return (
    <figure class="chart">
      <figcaption>
        <b>{title}</b> <span>{value === undefined ? t('program.noUsage') : format(value)}</span>{' '}
        <span class="muted">
          {at === undefined ? '' : `${formatDaytime(at)} · ${t('chart.peak', { value: format(peak) })}`}
        </span>
      </figcaption>
      <svg
        viewBox="0 0 1000 100"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${value === undefined ? '' : format(value)}`}
        onPointerMove={({ currentTarget, clientX }) => {
          const { left, width } = currentTarget.getBoundingClientRect();
          pointed.value = since + ((clientX - left) / width) * (until - since);
        }}
        onPointerLeave={() => (pointed.value = null)}
      >
        <path class="grid" d="M0 0H1000M0 50H1000M0 100H1000" />
        <path d={path} />
        {pointed.value !== null && at !== undefined && <path class="cursor" d={`M${x} 0V100`} />}
      </svg>
      <div class="axis" aria-hidden="true">
        <span>{formatDaytime(since)}</span>
        <span>{formatDaytime((since + until) / 2)}</span>
        <span>{formatDaytime(until)}</span>
      </div>
    </figure>
  );
}

interface TimelineProps {
  readonly name: string;
  readonly events: readonly EventAnswer[];
  readonly stretch: Stretch;
}

/** The states of a program over time. A span leads to the lines of exactly that span. */
export function Timeline({ name, events, stretch }: TimelineProps) {
  const { since, until } = stretch;
  const spans = spansOf(events, stretch);
  const xOf = (time: number): number => ((time - since) / (until - since)) * 1000;
  return (
    <div class="timeline">
      <svg viewBox="0 0 1000 20" preserveAspectRatio="none" role="group" aria-label={t('program.timeline')}>
        {spans.map((span) => (
          <a key={span.since} href={logsHref([name], span)} aria-label={spanLabel(span)}>
            <title>{spanLabel(span)}</title>
            <rect
              class={`fill-${span.tone}`}
              x={xOf(span.since)}
              y="0"
              width={xOf(span.until) - xOf(span.since)}
              height="20"
            />
          </a>
        ))}
      </svg>
      <p class="muted">{t('program.timeline.hint')}</p>
    </div>
  );
}

function spanLabel({ state, since, until, text }: ReturnType<typeof spansOf>[number]): string {
  return `${state}, ${formatDaytime(since)} – ${formatDaytime(until)}: ${text}`;
}

/** The latest events, the newest first, each with the lines that lead to it. */
export function EventList({ name, events }: Omit<TimelineProps, 'stretch'>) {
  if (events.length === 0) return <p class="muted">{t('program.noEvents')}</p>;
  const shown = events.slice(-SHOWN_EVENTS).toReversed();
  return (
    <ol class="events">
      {shown.map((event, index) => {
        const before = shown[index + 1]?.at;
        return (
          <li key={event.seq}>
            <time dateTime={new Date(event.at).toISOString()}>{formatTime(event.at)}</time>
            <span>{describeChange(event)}</span>
            <a
              href={logsHref([name], { until: event.at, ...(before === undefined ? {} : { since: before }) })}
              aria-label={`${t('nav.logs')}: ${formatTime(event.at)}`}
            >
              {t('nav.logs')}
            </a>
          </li>
        );
      })}
    </ol>
  );
}
