/** The frame of the page: title, views, the state of the connection, and the view that is chosen. */
import { computed } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatDaytime } from '../ctl/amounts.ts';
import { askSupervisor } from './actions.ts';
import { ConfigView } from './config-view.tsx';
import { Dialogs, isHelpShown, isPaletteShown } from './dialogs.tsx';
import { GraphView } from './graph-view.tsx';
import { Icon } from './icons.tsx';
import { LogsView } from './logs/logs-view.tsx';
import { Overview, problemCount } from './overview.tsx';
import { peerCount, refreshPeers } from './peers/peer-store.ts';
import { PeersView } from './peers/peers-view.tsx';
import { ProgramView } from './program-view.tsx';
import { type Route, route } from './routes.ts';
import { canAct, connection, hostName, store } from './session.ts';
import { switchLanguage, switchTheme, theme } from './settings.ts';
import { t } from './texts.ts';

const VIEWS = [
  ['overview', '#/'],
  ['logs', '#/logs'],
  ['graph', '#/graph'],
  ['config', '#/config'],
  ['peers', '#/peers'],
] as const;

/** The title of the page: problems first, so that a narrow tab still shows them. */
export const title = computed(() => {
  const count = problemCount.value;
  const problems = count === 0 ? '' : `✗ ${t(count === 1 ? 'app.problem' : 'app.problems', { n: count })} · `;
  return `${problems}${hostName.value === '' ? 'onevisor' : hostName.value}`;
});

/** Shows the page. */
export function App() {
  return (
    <>
      <a class="skip" href="#main" onClick={focusMain}>
        {t('app.skip')}
      </a>
      <Header />
      <LinkBanner />
      <main id="main" tabIndex={-1}>
        <View shown={route.value} />
      </main>
      <Dialogs />
    </>
  );
}

/** The address after `#` is that of the view, so the link must not change it. */
function focusMain(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#main')?.focus();
}

function View({ shown }: { readonly shown: Route }) {
  switch (shown.view) {
    case 'overview':
      return <Overview />;
    case 'program':
      return <ProgramView key={shown.name} name={shown.name} />;
    case 'logs':
      return <LogsView query={shown.query} />;
    case 'graph':
      return <GraphView />;
    case 'config':
      return <ConfigView />;
    case 'peers':
      return <PeersView />;
  }
}

function Header() {
  const { view } = route.value;
  const version = connection.version.value;
  const state = store.supervisorState.value;
  // A new supervisor may have other peers.
  useEffect(() => void (version !== null && refreshPeers()), [version?.epoch]);
  return (
    <header class="top">
      <div class="host">
        <strong>{hostName}</strong> {state !== '' && state !== 'RUNNING' && <span class="tone busy">{state}</span>}{' '}
        {version !== null && !canAct.value && <span class="badge">{t('app.readOnly')}</span>}
      </div>
      <nav aria-label={t('nav.label')}>
        {VIEWS.filter(([name]) => name !== 'peers' || (peerCount.value ?? 0) > 0 || view === 'peers').map(
          ([name, href]) => (
            <a key={name} href={href} aria-current={view === name ? 'page' : undefined}>
              {t(`nav.${name}`)}
              {name === 'overview' && problemCount.value > 0 && <span class="count">{problemCount}</span>}
            </a>
          ),
        )}
      </nav>
      <div class="tools">
        <Tool label={t('app.palette')} icon="find" onClick={() => (isPaletteShown.value = true)} />
        <Tool label={t(`app.theme.${theme.value}`)} icon="light" onClick={switchTheme} />
        <button type="button" class="quiet" onClick={switchLanguage} lang={t('app.language') === '中文' ? 'zh' : 'en'}>
          {t('app.language')}
        </button>
        <button type="button" class="quiet" aria-label={t('app.help')} onClick={() => (isHelpShown.value = true)}>
          ?
        </button>
        {canAct.value && (
          <>
            <Tool label={t('act.reload')} icon="restart" onClick={() => askSupervisor('reload', hostName.value)} />
            <Tool label={t('act.shutdown')} icon="power" onClick={() => askSupervisor('shutdown', hostName.value)} />
          </>
        )}
      </div>
    </header>
  );
}

interface ToolProps {
  readonly label: string;
  readonly icon: Parameters<typeof Icon>[0]['name'];
  readonly onClick: () => void;
}

function Tool({ label, icon, onClick }: ToolProps) {
  return (
    <button type="button" class="quiet" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

let firstVersion: string | null = null;

/** True if the supervisor has another version than the one that has sent this page. */
const isOutdated = computed(() => {
  const version = connection.version.value?.onevisor ?? null;
  firstVersion ??= version;
  return version !== firstVersion;
});

function LinkBanner() {
  const lostAt = connection.lostAt.value;
  return (
    <div role="status" class="banners">
      {lostAt !== null && (
        <p class="banner tone bad">
          <span>
            <span aria-hidden="true">✗ </span>
            {t('link.lost', { time: formatDaytime(lostAt) })}
          </span>
          <button type="button" onClick={() => connection.retry()}>
            {t('link.retry')}
          </button>
        </p>
      )}
      {isOutdated.value && (
        <p class="banner tone busy">
          {t('app.newVersion')}
          <button type="button" onClick={() => location.reload()}>
            {t('app.reloadPage')}
          </button>
        </p>
      )}
    </div>
  );
}
