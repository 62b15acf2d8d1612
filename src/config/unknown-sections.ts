/**
 * Warns of sections that do not exist, and of unknown options in sections that others fall back to. Pure.
 */
import type { Document } from './dialect.ts';
import { formatSuggestion } from './nearest.ts';
import { fcgiOptions, includeOptions, programOptions, sectionKinds } from './options.ts';
import type { Problems } from './problems.ts';
import type { SectionReader } from './section-reader.ts';

/** True if there is a kind of section with this name. */
function isKnown(name: string): boolean {
  return sectionKinds.some(({ start }) => {
    // compat: [inet_http_server:public] is a server too.
    const hasSuffix = start.endsWith(':') || start.endsWith('_http_server');
    return hasSuffix ? name.startsWith(start) : name === start;
  });
}

/** Warns of sections that no kind of section has the name of. */
export function warnUnknownSections(document: Document, problems: Problems): void {
  for (const { name, place } of document.sections.values()) {
    if (isKnown(name)) continue;
    const colon = name.indexOf(':');
    const own = colon === -1 ? 'x' : name.slice(colon + 1);
    const known = sectionKinds.map(({ start }) => (start.endsWith(':') ? start + own : start));
    problems.warn(place, name, null, `there is no such section, it is ignored${formatSuggestion(name, known)}`);
  }
}

/**
 * Warns of unknown options in `[include]` and `[program-default]`, which are not read by themselves. FastCGI programs
 * fall back to `[program-default]` for their own options too.
 */
export function warnUnknownDefaults(document: Document, reader: SectionReader): void {
  for (const [name, tables] of [
    ['include', [includeOptions]],
    ['program-default', [programOptions, fcgiOptions]],
  ] as const) {
    const section = document.sections.get(name);
    if (section !== undefined) reader.warnUnknown(section, tables);
  }
}
