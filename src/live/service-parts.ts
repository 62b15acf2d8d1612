/** Parts of the live views. Types only, so that nothing is loaded before the first request. */
import type { FactSources } from './status-texts.ts';

/** Parts of the service. */
export interface LiveServiceParts extends FactSources {
  /** Our own version. */
  readonly version: string;
}
