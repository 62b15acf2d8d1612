/**
 * The release of Supervisor whose behaviour and interfaces this program has.
 */

/** Answer to `supervisord --version` and `getSupervisorVersion`. */
export const SUPERVISOR_VERSION = '4.3.0';
