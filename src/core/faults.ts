/** The faults of Supervisor's XML-RPC interface: names, numbers, and an error class. Pure. */

/** Number of each fault, by name (Supervisor, "XML-RPC API Documentation"). */
export const faults = {
  UNKNOWN_METHOD: 1,
  INCORRECT_PARAMETERS: 2,
  BAD_ARGUMENTS: 3,
  SIGNATURE_UNSUPPORTED: 4,
  SHUTDOWN_STATE: 6,
  BAD_NAME: 10,
  BAD_SIGNAL: 11,
  NO_FILE: 20,
  NOT_EXECUTABLE: 21,
  FAILED: 30,
  ABNORMAL_TERMINATION: 40,
  SPAWN_ERROR: 50,
  ALREADY_STARTED: 60,
  NOT_RUNNING: 70,
  SUCCESS: 80,
  ALREADY_ADDED: 90,
  STILL_RUNNING: 91,
  CANT_REREAD: 92,
} as const;

/** Name of a fault. */
export type FaultName = keyof typeof faults;

/** Returns the name of the fault with this number, or null. */
export function faultName(code: number): FaultName | null {
  for (const name of Object.keys(faults) as FaultName[]) if (faults[name] === code) return name;
  return null;
}

/** Fault of a call: a number, and a text such as `BAD_NAME` or `BAD_NAME: web`. */
export class RpcFault extends Error {
  readonly code: number;
  /** The text on the wire (`faultString`). */
  readonly faultString: string;
  /** Reason for people, as a field of its own for our client; null for none. */
  readonly reason: string | null;

  constructor(code: number, faultString: string, reason: string | null = null) {
    super(faultString);
    this.name = 'RpcFault';
    this.code = code;
    this.faultString = faultString;
    this.reason = reason;
  }

  /** Returns the fault of that name. Its text is `NAME`, or `NAME: detail` with a detail. */
  static of(name: FaultName, detail = ''): RpcFault {
    return new RpcFault(faults[name], detail === '' ? name : `${name}: ${detail}`);
  }

  /** Returns the fault of a group that is not changed, because a socket cannot be opened. */
  static ofRefusedGroup(name: string, reason: string): RpcFault {
    return new RpcFault(faults.FAILED, `FAILED: ${name}: ${reason}`, reason);
  }

  /** Returns the fault of a start that cannot happen. Supervisor's text ends with the name of the process. */
  static ofHeldStart(name: string, reason: string): RpcFault {
    return new RpcFault(faults.SPAWN_ERROR, `SPAWN_ERROR: ${name}: ${reason}`, reason);
  }
}
