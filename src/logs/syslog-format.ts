/**
 * The header of a line for the log daemon of this machine: RFC 3164, as glibc's syslog(3) writes it. Pure.
 */

/** compat: Supervisor sends all lines with facility user and severity info, under this name (`stdout_syslog`). */
const PRIORITY = 14;
const IDENTIFIER = 'supervisord';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

let second = Number.NaN;
let header = Buffer.alloc(0);

/** Returns the header in local time: `<14>Jan  2 03:04:05 supervisord: `. The caller must not change the bytes. */
export function syslogHeader(wallMs: number): Buffer {
  const now = Math.floor(wallMs / 1000);
  if (now === second) return header;
  second = now;
  header = Buffer.from(`<${PRIORITY}>${formatSyslogTime(wallMs)} ${IDENTIFIER}: `);
  return header;
}

/** Formats a time as RFC 3164 does, in local time: `Jan  2 03:04:05`. */
export function formatSyslogTime(wallMs: number): string {
  const date = new Date(wallMs);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  return `${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${time}`;
}
