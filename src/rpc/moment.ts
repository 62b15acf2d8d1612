/** Times as parameters: milliseconds since 1970, a time of RFC 3339 with its zone, or a time ago (`10m`). Pure. */

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

/** Description of such a parameter. */
export const MOMENT_HELP = 'Milliseconds since 1970, 2026-11-30T08:00:00Z, or a time ago: 30s, 10m, 2h, 1d';

/** Returns the time in milliseconds since 1970; null for any other text. */
export function parseMoment(text: string, nowMs: number): number | null {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const [, count, unit = ''] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (count !== undefined) return Math.round(nowMs - Number(count) * (UNITS[unit] ?? 0));
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
