/**
 * How a line looks when it goes to the log daemon of the machine: RFC 3164, as glibc's syslog(3) writes it. Pure.
 */

/**
 * compat: facility user, severity info, for everything that Supervisor sends, and the name it is known by there
 * (`stdout_syslog`).
 */
const PRIORITY = 14;
const IDENTIFIER = 'supervisord';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

let second = Number.NaN;
let header = Buffer.alloc(0);

/**
 * What stands before each line, in local time: `<14>Jan 2 03:04:05 supervisord: `. The bytes are not to be changed.
 */
export function syslogHeader(wallMs: number): Buffer {
  const now = Math.floor(wallMs / 1000);
  if (now === second) return header;
  const date = new Date(now * 1000);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  second = now;
  header = Buffer.from(
    `<${PRIORITY}>${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${time} ${IDENTIFIER}: `,
  );
  return header;
}
