/** The facts of a process that the table shows, as in `onevisor status`. All texts are safe for a terminal. Pure. */
import { escapeControls } from '../../core/shown-text.ts';
import { readinessOf, readStatus, reasonOf, toneOf } from '../process-status.ts';
import type { Tone } from '../screen.ts';
import type { ProcessInfo } from '../supervisor-client.ts';

/** Colour of a process. */
export type ProcessTone = Exclude<Tone, 'head'>;

/** The facts of one process. A fact that the server does not send is null. */
export interface ProcessFacts {
  /** Full name, `group:name`. */
  readonly id: string;
  readonly group: string;
  readonly name: string;
  /** As in all commands: `web`, or `group:web`. */
  readonly namespec: string;
  readonly state: string;
  readonly tone: ProcessTone;
  /** Empty if the program has neither a health check nor reports its readiness. */
  readonly readiness: string;
  readonly restarts: number | null;
  readonly uptimeMs: number | null;
  readonly cpuPercent: number | null;
  readonly memory: number | null;
  /** 0 if it is not up. */
  readonly pid: number;
  /** In one line: the reason of the state, or another fact that a person should know; empty for none. */
  readonly why: string;
}

/** Reads the facts of a process. */
export function readFacts(info: ProcessInfo): ProcessFacts {
  const status = readStatus(info);
  const { pid } = info;
  return {
    id: `${info.group}:${info.name}`,
    group: escapeControls(info.group),
    name: escapeControls(info.name),
    namespec: status.name,
    state: escapeControls(info.statename),
    tone: toneOf(status),
    readiness: readinessOf(status),
    restarts: status.restarts,
    uptimeMs: pid === 0 ? null : Math.max(0, status.nowMs - info.start * 1000),
    cpuPercent: status.usage?.cpuPercent ?? null,
    memory: status.usage?.memory ?? null,
    pid,
    why: reasonOf(status),
  };
}
