/** The parts of the page that exist once: the store, the connection, the clock, and the role of the client. */
import { computed, signal } from '@preact/signals';
import { Connection } from './connection.ts';
import { ProcessStore } from './store.ts';

/** Seconds between two measurements of the usage. */
const USAGE_SECONDS = 2;

export const store = new ProcessStore();

export const connection = new Connection(
  {
    open: (url) => new EventSource(url),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    now: () => Date.now(),
  },
  store,
);

/** Time of the supervisor in milliseconds since 1970. Goes on each second while the page is visible. */
export const clock = signal(Date.now());

/** True if the client may change something. */
export const canAct = computed(() => connection.version.value?.role === 'admin');

/** Host name and identifier, as in the title. */
export const hostName = computed(() => {
  const version = connection.version.value;
  if (version === null) return '';
  return version.identifier === 'supervisor' ? version.host : `${version.host} (${version.identifier})`;
});

/** Opens the stream, closes it while the page is hidden, and keeps the clock going. */
export function startSession(): void {
  const tick = (): void => {
    clock.value = Date.now() + connection.clockSkew.peek();
  };
  let timer: ReturnType<typeof setInterval> | undefined;
  const show = (): void => {
    clearInterval(timer);
    connection.setHidden(document.hidden);
    if (document.hidden) return;
    tick();
    timer = setInterval(tick, 1000);
  };
  document.addEventListener('visibilitychange', show);
  connection.setUsage(USAGE_SECONDS);
  if (!document.hidden) connection.start();
  show();
}
