/** The end of a log as text: whole lines, without the control sequences of terminals. Pure. */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const NEWLINE = 0x0a;

/** CSI and OSC sequences, and other sequences that begin with ESC. */
// oxlint-disable-next-line no-control-regex
const SEQUENCES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f]/g;

/**
 * Decodes the end of a log. With `isCut`, the bytes may begin in the middle of a line, so the first line is left out
 * unless it is the only one.
 */
export function formatLogText(bytes: Uint8Array, isCut: boolean): string {
  const newline = isCut ? bytes.indexOf(NEWLINE) : -1;
  const whole = newline === -1 || newline === bytes.length - 1 ? bytes : bytes.subarray(newline + 1);
  return decoder.decode(whole).replaceAll('\r\n', '\n').replace(SEQUENCES, '').replace(CONTROLS, '\ufffd');
}
