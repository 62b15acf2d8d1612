/** The view of one program: everything that `describe` says, its usage, its timeline, and its configuration. */
import { computed, signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { DescriptionAnswer, EventsAnswer } from '../api/types.ts';
import { formatAgo, formatBytes, formatLong, formatTime } from '../ctl/amounts.ts';
import { describeFacts, describeTree } from '../ctl/description.ts';
import { toneOf } from '../ctl/process-status.ts';
import { getJson } from './api.ts';
import { ProgramConfig } from './config-view.tsx';
import { statusOf } from './facts.ts';
import { ProgramGraph } from './graph-view.tsx';
import { LastLines } from './last-lines.tsx';
import { RowButtons, SYMBOLS } from './process-row.tsx';
import { useRemote } from './remote.ts';
import { logsHref } from './routes.ts';
import { canAct, clock, connection, store } from './session.ts';
import type { ProcessEntry } from './store.ts';
import { labelOf, t } from './texts.ts';
import { EventList, Timeline, UsageChart } from './timeline-view.tsx';
import { eventsOf, fitStretch, type Series } from './timeline.ts';

/** Minutes that charts and timeline can show; null for those of the measurements. */
const RANGES = [null, 5, 15, 60, 360, 1440] as const;

const minutes = signal<(typeof RANGES)[number]>(null);

/** Seconds after which ages of the description are refreshed. */
const REFRESH_SECONDS = 20;

/** Seconds after which the history of the usage is read again: the page keeps only the latest two minutes itself. */
const HISTORY_SECONDS = 60;

interface HistoryAnswer {
  readonly series: Readonly<
    Record<string, { readonly at: number[]; readonly cpu: ReadonlyArray<number | null>; readonly memory: number[] }>
  >;
}

/** Shows one program. */
export function ProgramView({ name }: { readonly name: string }) {
  const entry = store.find(name);
  if (store.supervisorState.value === '') return <p class="empty">{t('app.loading')}</p>;
  if (entry === undefined) return <p class="empty">{t('program.missing', { name })}</p>;
  return <Program entry={entry} />;
}

function Program({ entry }: { readonly entry: ProcessEntry }) {
  const { name, status } = entry;
  const tone = toneOf(status.value);
  const path = `processes/${encodeURIComponent(name)}`;
  const round = useRound(REFRESH_SECONDS);
  const description = useRemote(
    (abort) => getJson<DescriptionAnswer>(`${path}/describe`, {}, abort),
    [status.value, round],
  );
  const { answer, error } = description.value;
  return (
    <div data-name={name}>
      <div class="program-head">
        <h1>
          <span class={`tone ${tone}`} aria-hidden="true">
            {SYMBOLS[tone]}
          </span>{' '}
          {name} <span class={`tone ${tone}`}>{status.value.info.statename}</span>
        </h1>
        <a class="button" href={logsHref([name])}>
          {t('nav.logs')}
        </a>
        {canAct.value && <RowButtons entry={entry} />}
      </div>
      {error !== null && <p class="tone bad">{error}</p>}
      <div class="columns">
        <div>
          <History entry={entry} />
          <LastLines name={name} />
          {answer !== null && <Runs answer={answer} />}
        </div>
        <div>
          {answer !== null && <Facts answer={answer} />}
          {answer !== null && <Tree answer={answer} />}
          <ProgramGraph name={name} />
          <ProgramConfig name={name} />
        </div>
      </div>
    </div>
  );
}

/** Returns a number that changes after each stretch of so many seconds. */
function useRound(seconds: number): number {
  return useMemo(() => computed(() => Math.floor(clock.value / (seconds * 1000))), []).value;
}

function Facts({ answer }: { readonly answer: DescriptionAnswer }) {
  return (
    <section class="card">
      <h2>{t('program.facts')}</h2>
      <dl class="facts">
        {describeFacts(statusOf(answer)).map(
          ([label, text]) =>
            text !== null && (
              <div key={label}>
                <dt>{labelOf(label)}</dt>
                <dd>{text}</dd>
              </div>
            ),
        )}
      </dl>
    </section>
  );
}

function History({ entry }: { readonly entry: ProcessEntry }) {
  const { name } = entry;
  const past = useRemote(
    (abort) => getJson<HistoryAnswer>('usage/history', { names: [name] }, abort),
    [name, connection.version.value?.epoch, useRound(HISTORY_SECONDS)],
  ).value.answer?.series[name];
  const known = useRemote(
    (abort) => getJson<EventsAnswer>('events', { after: 0 }, abort),
    [name, connection.version.value?.epoch],
  ).value.answer;
  const events = eventsOf(name, known?.events ?? [], store.events.value);
  const newer = entry.samples.value.filter(({ at }) => at > (past?.at.at(-1) ?? 0));
  const until = clock.value;
  const stretch =
    minutes.value === null
      ? fitStretch(until, [past?.at[0] ?? newer[0]?.at, events[0]?.at])
      : { since: until - minutes.value * 60_000, until };
  const seriesOf = (old: ReadonlyArray<number | null>, fresh: readonly number[]): Series => ({
    at: [...(past?.at ?? []), ...newer.map(({ at }) => at)],
    values: [...old.map((value) => value ?? 0), ...fresh],
  });
  return (
    <section class="card">
      <h2>{t('program.usage')}</h2>
      <div class="chips" role="group" aria-label={t('program.range')}>
        {RANGES.map((range) => (
          <button
            key={range}
            type="button"
            class="chip"
            aria-pressed={minutes.value === range}
            onClick={() => (minutes.value = range)}
          >
            {wordsOfRange(range)}
          </button>
        ))}
      </div>
      <UsageChart
        title={t('col.cpu')}
        series={seriesOf(
          past?.cpu ?? [],
          newer.map(({ cpu }) => cpu),
        )}
        stretch={stretch}
        format={(value) => `${Math.round(value * 10) / 10}%`}
        least={5}
      />
      <UsageChart
        title={t('col.memory')}
        series={seriesOf(
          past?.memory ?? [],
          newer.map(({ memory }) => memory),
        )}
        stretch={stretch}
        format={formatBytes}
        least={1024}
      />
      <h2>{t('program.timeline')}</h2>
      <Timeline name={name} events={events} stretch={stretch} />
      <h2>{t('program.events')}</h2>
      <EventList name={name} events={events} />
    </section>
  );
}

function wordsOfRange(range: (typeof RANGES)[number]): string {
  if (range === null) return t('program.fit');
  return range < 60 ? `${range} min` : `${range / 60} h`;
}

function Tree({ answer }: { readonly answer: DescriptionAnswer }) {
  const lines = describeTree(statusOf(answer), { hasUnicode: true });
  if (lines.length === 0) return null;
  return (
    <section class="card">
      <h2>{t('program.tree')}</h2>
      <pre tabIndex={0} aria-label={t('program.tree')}>
        {lines.join('\n')}
      </pre>
    </section>
  );
}

function Runs({ answer }: { readonly answer: DescriptionAnswer }) {
  const ended = answer.runs.flatMap((run) => (run.end === undefined ? [] : [{ ...run, end: run.end }])).toReversed();
  if (ended.length === 0) return null;
  const { name, group } = answer;
  return (
    <section class="card">
      <h2>{t('program.runs')}</h2>
      <ol class="events">
        {ended.map(({ run, pid, started, start_cause: cause, end }) => (
          <li key={run}>
            <time dateTime={new Date(end.at).toISOString()}>{formatTime(end.at)}</time>
            <span>
              <b class={`tone ${end.planned ? 'idle' : 'bad'}`}>{end.how}</b> · {formatAgo(clock.value - end.at)} ·{' '}
              {pid === undefined ? '' : `pid ${pid} · `}
              {formatLong(end.lasted_ms)} · {end.cause?.text ?? end.sent_signal?.cause.text ?? ''}{' '}
              <span class="muted">
                {labelOf('Started')}: {cause.text}
              </span>
            </span>
            <a
              href={logsHref([group === name ? name : `${group}:${name}`], { since: started, until: end.at })}
              aria-label={`${t('nav.logs')}: ${formatTime(end.at)}`}
            >
              {t('nav.logs')}
            </a>
          </li>
        ))}
      </ol>
    </section>
  );
}
