/** The facts about the supervisor and its client that an answer about the version has. */
import type { Role } from '../core/role.ts';
import type { SupervisorStateName } from '../core/states.ts';
import { SUPERVISOR_VERSION } from '../core/supervisor-version.ts';
import type { SupervisorApi } from './supervisor-api.ts';

/** Facts that the supervisor does not know. */
export interface ClientFacts {
  /** Our own version. */
  readonly version: string;
  readonly host: string;
  readonly role: Role;
  /** Null for a client without a user name. */
  readonly user: string | null;
}

/** Facts about a supervisor, as a client sees them. */
export interface VersionFacts {
  /** Our own version. */
  readonly onevisor: string;
  /** Version of Supervisor that this is compatible with. */
  readonly supervisor: string;
  /** Version of the JSON API. */
  readonly api: 1;
  /** Changes with each start of a supervisor. Numbers of another epoch mean nothing. */
  readonly epoch: string;
  readonly identifier: string;
  /** Host name. */
  readonly host: string;
  readonly pid: number;
  readonly state: SupervisorStateName;
  /** Role of the client. */
  readonly role: Role;
  /** User name of the client; null without a password. */
  readonly user: string | null;
  /** Time of the supervisor, in milliseconds since 1970. */
  readonly now: number;
}

/** Makes the facts: for `GET /version`, and for the beginning of a stream. */
export function versionFacts(api: SupervisorApi, { version, host, role, user }: ClientFacts): VersionFacts {
  return {
    onevisor: version,
    supervisor: SUPERVISOR_VERSION,
    api: 1,
    epoch: api.epoch,
    identifier: api.identification,
    host,
    pid: api.pid,
    state: api.state(),
    role,
    user,
    now: Math.round(api.wallMs()),
  };
}
