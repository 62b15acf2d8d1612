/**
 * The words of the page in English and Chinese. States, causes and other facts are not here: they are the same in every
 * view of onevisor. The texts of the log viewer are in logs/log-texts.ts.
 */
import { signal } from '@preact/signals';
import { LOG_TEXTS } from './logs/log-texts.ts';
import { LABELS, PAGE_TEXTS } from './page-texts.ts';
import { PEER_TEXTS } from './peers/peer-texts.ts';

/** A language of the page. */
export type Language = 'en' | 'zh';

/** English, then Chinese. `{name}` stands for a value. */
export type Text = readonly [en: string, zh: string];

/** The language of the page. */
export const language = signal<Language>('en');

const TEXTS = { ...PAGE_TEXTS, ...LOG_TEXTS, ...PEER_TEXTS } as const;

/** Name of a text. */
export type TextKey = keyof typeof TEXTS;

/** Chooses a language by the wishes of the browser, the first one first. */
export function chooseLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return 'zh';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

/** Returns a text in the language of the page. */
export function t(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  const text: Text = TEXTS[key];
  return text[language.value === 'zh' ? 1 : 0].replace(/\{(\w+)\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  );
}

/** Returns a label of a description, which the client of the terminal has in English. */
export function labelOf(label: string): string {
  return language.value === 'zh' ? (LABELS[label] ?? label) : label;
}
