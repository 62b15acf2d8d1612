/** The release of Supervisor that this program is compatible with. */

/** Answer to `supervisord --version` and `getSupervisorVersion`. */
export const SUPERVISOR_VERSION = '4.3.0';
