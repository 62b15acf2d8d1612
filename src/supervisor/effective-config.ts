/** The effective configuration of a supervision, for clients. */
import { effectiveSections } from '../config/effective-sections.ts';
import type { EffectiveConfig } from '../rpc/supervisor-api.ts';
import type { Supervision } from './supervision.ts';

/** Returns the sections of the supervisor and of the active groups. */
export function effectiveConfigOf({ config, groups }: Pick<Supervision, 'config' | 'groups'>): EffectiveConfig {
  return { file: config.file, included: config.included, sections: effectiveSections(config, groups.list) };
}
