/** An alert for tests. */
import { type Alert, NO_PROCESS } from '../../../src/core/alert.ts';

/** Returns an alert about `web` with other facts. */
export function alertOf(changes: Partial<Alert> = {}): Alert {
  return {
    ...NO_PROCESS,
    event: 'fatal',
    message: 'web is FATAL: it fails',
    reason: 'it fails',
    name: 'web',
    process_name: 'web',
    group_name: 'web',
    program_name: 'web',
    state: 'FATAL',
    exit_code: 3,
    left_out: 0,
    time: '2026-01-31T12:00:00.000Z',
    host: 'box',
    identifier: 'supervisor',
    notify: 'ops',
    ...changes,
  };
}

/** Returns an alert about a process and an event. */
export function alertAbout(name: string, event = 'fatal'): Alert {
  return alertOf({ event, name, process_name: name, group_name: name, message: `${name} ${event}` });
}
