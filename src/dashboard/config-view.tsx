/** The effective configuration with its places, and the changes in the files that are not applied yet. */
import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { ConfigAnswer, OptionAnswer, OptionValue, PendingAnswer, SectionAnswer } from '../api/types.ts';
import { perform, question } from './actions.ts';
import { getJson } from './api.ts';
import { useRemote } from './remote.ts';
import { canAct, connection, hostName } from './session.ts';
import { t } from './texts.ts';

const isOnlySet = signal(true);
const search = signal('');
/** Counts the times that the files were checked. */
const checks = signal(0);

/** Shows the changes in the files, and the whole configuration. */
export function ConfigView() {
  const { answer, error } = useConfig();
  return (
    <>
      <h1>{t('nav.config')}</h1>
      <Pending />
      <h2>{t('config.effective')}</h2>
      <div class="toolbar">
        <input
          type="search"
          value={search}
          placeholder={t('config.filter')}
          aria-label={t('config.filter')}
          onInput={({ currentTarget }) => (search.value = currentTarget.value)}
        />
        <OnlySet />
      </div>
      {error !== null && <p class="tone bad">{error}</p>}
      {answer?.sections.map((section) => (
        <Section key={`${section.section} ${section.process ?? ''}`} section={section} />
      ))}
    </>
  );
}

function useConfig() {
  return useRemote(
    (abort) => getJson<ConfigAnswer>('config', {}, abort),
    [connection.version.value?.epoch, checks.value],
  ).value;
}

function OnlySet() {
  return (
    <label class="switch">
      <input
        type="checkbox"
        checked={isOnlySet}
        onChange={({ currentTarget }) => (isOnlySet.value = currentTarget.checked)}
      />{' '}
      {t('config.onlySet')}
    </label>
  );
}

function Section({ section: { section, process: name, options } }: { readonly section: SectionAnswer }) {
  const words = search.value.trim().toLowerCase();
  const title = name === undefined || section === `program:${name}` ? section : `${section} – ${name}`;
  const shown = options.filter(
    (option) =>
      (option.set || !isOnlySet.value) &&
      (words === '' || `${title} ${option.name} ${formatValue(option.value)}`.toLowerCase().includes(words)),
  );
  if (shown.length === 0) return null;
  return (
    <section class="card">
      <h3>[{title}]</h3>
      <Options options={shown} />
    </section>
  );
}

function Options({ options }: { readonly options: readonly OptionAnswer[] }) {
  return (
    <table class="options">
      <thead>
        <tr>
          <th scope="col">{t('config.option')}</th>
          <th scope="col">{t('config.value')}</th>
          <th scope="col">{t('config.place')}</th>
        </tr>
      </thead>
      <tbody>
        {options.map((option) => (
          <tr key={option.name} class={option.set ? '' : 'muted'}>
            <th scope="row">{option.name}</th>
            <td>{formatValue(option.value)}</td>
            <td class="muted">{placeOf(option)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function placeOf({ set: isSet, file, line }: OptionAnswer): string {
  if (!isSet) return t('config.default');
  return line === undefined || line === 0 ? (file ?? '') : `${file ?? ''}:${line}`;
}

function formatValue(value: OptionValue): string {
  if (value === null) return '';
  if (Array.isArray(value)) return (value as readonly OptionValue[]).map(formatValue).join(', ');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, member]) => `${name}=${formatValue(member)}`)
      .join(', ');
  return String(value);
}

/** The changes that an update would make, in the words of its dry run. */
function Pending() {
  const { answer, error } = useRemote(
    (abort) => getJson<PendingAnswer>('config/pending', {}, abort),
    [checks.value, connection.version.value?.epoch],
  ).value;
  const hasChanges = answer !== null && countOf(answer) > 0;
  return (
    <section class="card">
      <h2>{t('config.pending')}</h2>
      {error !== null && <pre class="bad">{error}</pre>}
      {answer !== null && error === null && (
        <pre tabIndex={0} aria-label={t('config.pending')}>
          {hasChanges ? answer.text.join('\n') : t('config.noPending')}
        </pre>
      )}
      <div class="answers">
        <button type="button" onClick={() => (checks.value += 1)}>
          {t('config.check')}
        </button>
        {canAct.value && hasChanges && (
          <button type="button" class="primary" onClick={() => askUpdate(answer)}>
            {t('act.update')}
          </button>
        )}
      </div>
    </section>
  );
}

function countOf({ added, changed, removed, settings, notifications }: PendingAnswer): number {
  const others = [...Object.values(settings), ...Object.values(notifications)];
  return [added, changed, removed, ...others].reduce((sum, names) => sum + names.length, 0);
}

function askUpdate({ added, changed, removed }: PendingAnswer): void {
  const label = t('act.update');
  const run = (): void =>
    void perform(label, 'config/update').then(() => {
      checks.value += 1;
    });
  question.value = {
    title: t('ask.update', { name: hostName.value }),
    names: [...added, ...changed, ...removed],
    answers: [{ label, isHarmful: true, run }],
  };
}

/** Shows the configuration of one program, when a person opens it. */
export function ProgramConfig({ name }: { readonly name: string }) {
  const isOpen = useMemo(() => signal(false), []);
  return (
    <details class="card" onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}>
      <summary>{t('program.config')}</summary>
      {isOpen.value && <ProgramOptions name={name} />}
    </details>
  );
}

function ProgramOptions({ name }: { readonly name: string }) {
  const { answer, error } = useConfig();
  const options = answer?.sections.find((section) => section.process === name)?.options ?? [];
  return (
    <>
      {error !== null && <p class="tone bad">{error}</p>}
      <OnlySet />
      <Options options={options.filter(({ set: isSet }) => isSet || !isOnlySet.value)} />
    </>
  );
}
