/** The texts for the remarks of the status, and their members in `getProcessInfo`. Pure. */
import type { ProcessRemark } from '../core/process-remark.ts';
import { formatStartWait } from '../core/start-wait.ts';
import { formatDaytime } from './durations.ts';
import type { XmlRpcStruct } from './xmlrpc.ts';

/** Times further away than this are shown with the year. */
const FAR_MS = 300 * 24 * 3600 * 1000;

/** Formats a remark for the description of a process: `next run Nov 21 04:00 AM`. `wallMs` is the time of day now. */
export function formatRemark(remark: ProcessRemark, wallMs: number): string {
  switch (remark.kind) {
    case 'startWait':
      return formatStartWait(remark.wait);
    case 'healthFailure':
      return remark.reason;
    case 'nextRun': {
      const hasYear = remark.atMs - wallMs > FAR_MS;
      return `next run ${formatDaytime(remark.atMs / 1000, { hasSeconds: remark.hasSeconds, hasYear })}`;
    }
    case 'statusText':
      return remark.text;
    case 'outOfMemory':
      return `out of memory ${formatDaytime(remark.atS)}`;
  }
}

/** Returns the members of the struct for a remark. */
export function remarkMembers(remark: ProcessRemark): XmlRpcStruct {
  switch (remark.kind) {
    case 'startWait':
      return { start_waits_for: remark.wait };
    case 'healthFailure':
      return { health_reason: remark.reason };
    case 'nextRun':
      return { next_run: Math.floor(remark.atMs / 1000) };
    case 'statusText':
      return { status_text: remark.text };
    case 'outOfMemory':
      return { out_of_memory: remark.atS };
  }
}
