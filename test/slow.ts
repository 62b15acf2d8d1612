/**
 * Two sizes of the same test: `npm test` runs the brief form, `npm run test:slow` the long form, which may take hours.
 */

/** True if the tests run in their long form. */
export const isSlow = process.env['TEST_SLOW'] === '1';

/** Selects the size for this run. */
export function bySize<T>(sizes: { readonly brief: T; readonly long: T }): T {
  return isSlow ? sizes.long : sizes.brief;
}
