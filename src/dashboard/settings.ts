/** Settings of a person, kept in the browser: theme, language, and folded groups. */
import { effect, type Signal, signal } from '@preact/signals';
import { chooseLanguage, language } from './texts.ts';

/** Colours of the page; `auto`: as the browser wants them. */
export type Theme = 'auto' | 'light' | 'dark';

const PREFIX = 'onevisor.';

/** Makes a signal whose value outlives the page. A browser without storage forgets it. */
export function kept<T>(name: string, initial: T): Signal<T> {
  const value = signal<T>((read(name) as T | null) ?? initial);
  let isFirst = true;
  effect(() => {
    const text = JSON.stringify(value.value);
    if (!isFirst) write(name, text);
    isFirst = false;
  });
  return value;
}

function read(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name) ?? 'null');
  } catch {
    return null;
  }
}

function write(name: string, text: string): void {
  try {
    localStorage.setItem(PREFIX + name, text);
  } catch {
    // The storage may be full or switched off.
  }
}

export const theme = kept<Theme>('theme', 'auto');
/** Names of folded groups. */
export const folded = kept<readonly string[]>('folded', []);
const chosenLanguage = kept<'en' | 'zh' | null>('language', null);

/** Shows the page in the other language. */
export function switchLanguage(): void {
  chosenLanguage.value = language.value === 'en' ? 'zh' : 'en';
}

/** Shows the page in the next theme. */
export function switchTheme(): void {
  const order: readonly Theme[] = ['auto', 'light', 'dark'];
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length] ?? 'auto';
}

/** Applies the settings to the page, now and when they change. */
export function applySettings(): void {
  const root = document.documentElement;
  effect(() => {
    root.dataset['theme'] = theme.value;
  });
  effect(() => {
    language.value = chosenLanguage.value ?? chooseLanguage(navigator.languages);
    root.lang = language.value === 'zh' ? 'zh-CN' : 'en';
  });
}
