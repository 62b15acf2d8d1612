/** Settings of the log view that the browser remembers. */
import { type Signal, signal } from '@preact/signals';
import { TIME_FORMS, type TimeForm } from './times.ts';

/** Settings of a person. */
export interface LogSettings {
  readonly isWrapped: boolean;
  readonly times: TimeForm;
  /** True if JSON is shown as it was written. */
  readonly isRaw: boolean;
}

const KEY = 'onevisor.logs';
/** Lines are wrapped on a phone. */
const DEFAULTS: LogSettings = { isWrapped: innerWidth < 640, times: 'local', isRaw: false };

/** The settings. */
export const logSettings: Signal<LogSettings> = signal(read());

/** Changes settings, and keeps them. A browser without storage forgets them with the page. */
export function changeSettings(change: Partial<LogSettings>): void {
  logSettings.value = { ...logSettings.value, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(logSettings.value));
  } catch {
    // The storage may be full or switched off.
  }
}

/** Chooses the next form of times. */
export function nextTimes(): void {
  const index = TIME_FORMS.indexOf(logSettings.value.times);
  changeSettings({ times: TIME_FORMS[(index + 1) % TIME_FORMS.length] ?? 'local' });
}

function read(): LogSettings {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<LogSettings>;
    const times = TIME_FORMS.find((form) => form === kept.times) ?? DEFAULTS.times;
    return { isWrapped: kept.isWrapped ?? DEFAULTS.isWrapped, times, isRaw: kept.isRaw === true };
  } catch {
    return DEFAULTS;
  }
}
