/** Reads the capabilities of the supervisor from /proc. */
import { readFileSync } from 'node:fs';
import { type OwnCapabilities, parseCapabilitySet } from '../core/capabilities.ts';

/** Returns our capabilities; none if /proc is not there. */
export function readOwnCapabilities(): OwnCapabilities {
  let status: string;
  try {
    status = readFileSync('/proc/self/status', 'latin1');
  } catch {
    return { permitted: [], bounding: [] };
  }
  const setOf = (name: string): number[] =>
    parseCapabilitySet(new RegExp(`^${name}:\\s*([0-9a-f]{1,16})$`, 'm').exec(status)?.[1] ?? '0');
  return { permitted: setOf('CapPrm'), bounding: setOf('CapBnd') };
}
