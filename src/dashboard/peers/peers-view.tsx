/** The view of all supervisors: a card for each, with its programs; programs with problems come first. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { PeerAnswer, PeerLogsAnswer } from '../../api/peer-types.ts';
import { formatDaytime } from '../../ctl/amounts.ts';
import { readinessOf, reasonOf, toneOf } from '../../ctl/process-status.ts';
import { perform, question } from '../actions.ts';
import { getJson } from '../api.ts';
import { Icon } from '../icons.tsx';
import { canStop } from '../overview-rows.ts';
import { SYMBOLS } from '../process-row.tsx';
import { useRemote } from '../remote.ts';
import { canAct, clock } from '../session.ts';
import { folded } from '../settings.ts';
import { t } from '../texts.ts';
import {
  type PeerRow,
  peers,
  peersError,
  problemRows,
  refreshPeers,
  rowsOf,
  sortedPeers,
  watchPeers,
} from './peer-store.ts';

/** Lines of a program that are shown. */
const LINES = 100;

/** Program whose lines are shown: id of the peer and name. */
const shownLog = signal<string | null>(null);

/** Shows all supervisors. */
export function PeersView() {
  useEffect(() => watchPeers(), []);
  const all = sortedPeers.value;
  return (
    <>
      <h1 class="hidden">{t('nav.peers')}</h1>
      {peersError.value !== null && <p class="tone bad">{peersError}</p>}
      {peers.value === null && peersError.value === null && <p class="empty">{t('app.loading')}</p>}
      {peers.value !== null && all.length === 0 && <p class="empty">{t('peers.none')}</p>}
      {all.length > 0 && <Counts />}
      <Problems />
      {all.map((peer) => (
        <Peer key={peer.id} peer={peer} />
      ))}
    </>
  );
}

function Counts() {
  const all = peers.value?.peers ?? [];
  const up = all.filter(({ reachable }) => reachable).length;
  const programs = all.reduce((sum, { processes }) => sum + processes.length, 0);
  return <p class="muted">{t('peers.counts', { up, n: all.length, programs })}</p>;
}

function Problems() {
  if (problemRows.value.length === 0) return null;
  return (
    <section class="problems" aria-labelledby="peer-problems">
      <h2 id="peer-problems">{t('list.problems')}</h2>
      <ul>
        {problemRows.value.map((row) => (
          <li key={`${row.peer.id} ${row.name}`}>
            <State row={row} />
            <strong>{t('peers.of', { name: row.name, peer: row.peer.name })}</strong>
            <span class="why">{reasonAt(row)}</span>
            <span class="actions">
              <Actions row={row} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The reason of the state, with ages as of now. */
function reasonAt({ status }: PeerRow): string {
  return reasonOf({ ...status, nowMs: Math.max(status.nowMs, clock.value) });
}

function State({ row: { status } }: { readonly row: PeerRow }) {
  const tone = toneOf(status);
  return (
    <span class={`tone ${tone}`}>
      <span aria-hidden="true">{SYMBOLS[tone]}</span> <span>{status.info.statename}</span>
    </span>
  );
}

function Peer({ peer }: { readonly peer: PeerAnswer }) {
  const key = `peer ${peer.id}`;
  const isFolded = folded.value.includes(key);
  const toggle = (): void => {
    folded.value = isFolded ? folded.value.filter((other) => other !== key) : [...folded.value, key];
  };
  return (
    <section class="card peer" data-peer={peer.name} aria-label={peer.name}>
      <h2>
        <button type="button" class="fold" data-row aria-expanded={!isFolded} onClick={toggle}>
          <Icon name="fold" /> {peer.name}
        </button>{' '}
        <Reachability peer={peer} />
      </h2>
      {!isFolded && <PeerBody peer={peer} />}
    </section>
  );
}

function Reachability({ peer }: { readonly peer: PeerAnswer }) {
  const time = peer.since === null ? '' : t('peers.since', { time: formatDaytime(peer.since) });
  const badges = [
    peer.self ? t('peers.self') : '',
    peer.state !== null && peer.state !== 'RUNNING' ? peer.state : '',
    canAct.value && peer.reachable && peer.role !== 'admin' ? t('peers.readOnly') : '',
  ].filter((text) => text !== '');
  return (
    <>
      <ReachabilityWord peer={peer} /> {!peer.reachable && <span class="muted">{time}</span>}
      {badges.map((text) => (
        <span key={text} class="badge">
          {text}
        </span>
      ))}
    </>
  );
}

function ReachabilityWord({ peer }: { readonly peer: PeerAnswer }) {
  if (peer.pending === true)
    return (
      <span class="tone busy">
        <span aria-hidden="true">{SYMBOLS.busy}</span> {t('peers.pending')}
      </span>
    );
  const tone = peer.reachable ? 'good' : 'bad';
  return (
    <span class={`tone ${tone}`}>
      <span aria-hidden="true">{SYMBOLS[tone]}</span> {t(peer.reachable ? 'peers.reachable' : 'peers.unreachable')}
    </span>
  );
}

function PeerBody({ peer }: { readonly peer: PeerAnswer }) {
  const facts = [
    peer.kind === null ? '' : `${peer.kind === 'onevisor' ? 'onevisor' : 'Supervisor'} ${peer.version ?? ''}`.trim(),
    peer.host ?? '',
    peer.identifier ?? '',
    peer.resolved ?? peer.address,
    peer.latency_ms === null ? '' : t('peers.latency', { ms: peer.latency_ms }),
  ].filter((text) => text !== '');
  const rows = rowsOf(peer);
  return (
    <>
      <p class="muted">{facts.join(' · ')}</p>
      {peer.error !== undefined && <p class="tone bad why">{peer.error}</p>}
      {peer.capped === true && <p class="tone busy">{t('peers.capped')}</p>}
      {peer.reachable && rows.length === 0 && <p class="muted">{t('peers.noPrograms')}</p>}
      {rows.length > 0 && (
        <div class="table">
          <table aria-label={t('peers.programs', { peer: peer.name })}>
            <thead>
              <tr>
                <th scope="col">{t('col.name')}</th>
                <th scope="col">{t('col.state')}</th>
                <th scope="col" class="why">
                  {t('col.why')}
                </th>
                <th scope="col" class="actions">
                  <span class="hidden">{t('col.actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row key={row.name} row={row} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function logKey({ peer, name }: PeerRow): string {
  return `${peer.id} ${name}`;
}

function Row({ row }: { readonly row: PeerRow }) {
  const { name, status } = row;
  const isLogShown = shownLog.value === logKey(row);
  const why = reasonAt(row);
  return (
    <>
      <tr data-name={name}>
        <th scope="row" class="name">
          {name}
        </th>
        <td class="state">
          <State row={row} /> <span class="ready">{readinessOf(status)}</span>{' '}
          <span class="flapping">{status.isFlapping ? t('word.flapping') : ''}</span>
        </td>
        <td class="why" title={why}>
          {why}
        </td>
        <td class="actions">
          <Actions row={row} />
          <button
            type="button"
            class="quiet"
            aria-expanded={isLogShown}
            aria-label={t('act.logs.of', { name: t('peers.of', { name, peer: row.peer.name }) })}
            onClick={() => (shownLog.value = isLogShown ? null : logKey(row))}
          >
            <Icon name="logs" />
          </button>
        </td>
      </tr>
      {isLogShown && (
        <tr>
          <td colSpan={4}>
            <LogLines row={row} />
          </td>
        </tr>
      )}
    </>
  );
}

function LogLines({ row: { peer, name } }: { readonly row: PeerRow }) {
  const { answer, error } = useRemote(
    (abort) => getJson<PeerLogsAnswer>(`peers/${peer.id}/logs`, { name, limit: LINES }, abort),
    [peer.id, name],
  ).value;
  if (error !== null) return <p class="tone bad">{error}</p>;
  if (answer === null) return <p class="muted">{t('app.loading')}</p>;
  if (answer.lines.length === 0) return <p class="muted">{t('peers.noLines')}</p>;
  return (
    <>
      {answer.more && <p class="muted">{t('peers.more')}</p>}
      <pre tabIndex={0} role="log" aria-label={t('act.logs.of', { name: t('peers.of', { name, peer: peer.name }) })}>
        {answer.lines.map(({ at, text }) => `${at === undefined ? '' : `${formatDaytime(at)} `}${text}\n`).join('')}
      </pre>
    </>
  );
}

/** The buttons of a program, for clients that may act here and whose supervisor may act there. */
function Actions({ row }: { readonly row: PeerRow }) {
  const { peer, name, status } = row;
  if (!canAct.value || peer.role !== 'admin') return null;
  const label = t('peers.of', { name, peer: peer.name });
  const run = (verb: 'start' | 'stop' | 'restart'): void => {
    const path = `peers/${peer.id}/processes/${encodeURIComponent(name)}/${verb}`;
    void perform(t(`act.${verb}.of`, { name: label }), path).then(() => refreshPeers());
  };
  const ask = (verb: 'stop' | 'restart'): void => {
    question.value = {
      title: t(`ask.${verb}`, { name: label }),
      names: [],
      answers: [{ label: t(`act.${verb}`), isHarmful: true, run: () => run(verb) }],
    };
  };
  const verb = canStop(status) ? 'stop' : 'start';
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-label={t(`act.${verb}.of`, { name: label })}
        onClick={() => (verb === 'start' ? run('start') : ask('stop'))}
      >
        <Icon name={verb} />
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={t('act.restart.of', { name: label })}
        onClick={() => ask('restart')}
      >
        <Icon name="restart" />
      </button>
    </>
  );
}
