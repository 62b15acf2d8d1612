/** Facts for the status of a process that are not in its record. Types only; rpc/remarks.ts has the texts. */

import type { StartWait } from './start-wait.ts';

/** One fact of this kind. */
export type ProcessRemark =
  /** The start under way waits for this step. */
  | { readonly kind: 'startWait'; readonly wait: StartWait }
  /** The latest health check has failed, and the process is therefore not healthy. */
  | { readonly kind: 'healthFailure'; readonly reason: string }
  /** Next time of the schedule, in milliseconds since 1970. `hasSeconds`: the schedule names seconds. */
  | { readonly kind: 'nextRun'; readonly atMs: number; readonly hasSeconds: boolean }
  /** Text that the program reports about itself (`STATUS=` of sd_notify). */
  | { readonly kind: 'statusText'; readonly text: string }
  /** The kernel ended the latest run because memory ran out. In seconds since 1970. */
  | { readonly kind: 'outOfMemory'; readonly atS: number };

/** Returns the reason of a failed health check among the remarks; null for none. */
export function healthReasonOf(remarks: readonly ProcessRemark[]): string | null {
  return remarks.find((remark) => remark.kind === 'healthFailure')?.reason ?? null;
}
