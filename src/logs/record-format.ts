/**
 * Lines as records of fields: JSON, one object a line, and logfmt. Bytes that are no UTF-8 become U+FFFD here, and only here,
 * since neither format can carry them. Makes text; writes nothing.
 */
import type { LineOrigin } from './line-prefix.ts';
import type { Level, LineStyle } from './ports.ts';
import { formatIsoTime } from './time-format.ts';

/** Whether a record holds the whole line: `partial`, its end follows in another record; `cut`, it was too long. */
export type Extent = 'whole' | 'partial' | 'cut';

/** Turns the lines of one pipe, or of the supervisor, into records. */
export interface RecordFormat {
  /** Records for the whole lines of a text, or for a text that has no newline at its end; each with its newline. */
  format(text: string, wallMs: number, extent: Extent): string;
}

/** The json format of the lines of one pipe. */
export function jsonOf(origin: LineOrigin, pid: number, jsonLines: LineStyle['jsonLines']): RecordFormat {
  const fields = [
    ['program', origin.program], ['group', origin.group], ['process', origin.process], ['pid', pid], ['stream', origin.stream],
  ].map(([name, value]) => `,"${name}":${JSON.stringify(value)}`).join('');
  return {
    format(text, wallMs, extent) {
      const head = `{"time":"${formatIsoTime(wallMs)}"${fields},"message":`;
      const tail = extent === 'whole' ? '}\n' : `,"${extent}":true}\n`;
      return eachLine(text, (line) => {
        if (extent !== 'whole' || jsonLines === 'string' || !isJsonObject(line)) return head + JSON.stringify(line) + tail;
        return jsonLines === 'pass' ? `${line}\n` : head + line.trim() + tail;
      });
    },
  };
}

/** The logfmt format of the lines of one pipe. */
export function logfmtOf(origin: LineOrigin, pid: number): RecordFormat {
  const fields = ` program=${quoteLogfmt(origin.program)} group=${quoteLogfmt(origin.group)} process=${quoteLogfmt(origin.process)} pid=${pid} stream=${origin.stream}`;
  return {
    format(text, wallMs, extent) {
      const head = `time=${formatIsoTime(wallMs)}${fields} message=`;
      const tail = extent === 'whole' ? '\n' : ` ${extent}=true\n`;
      return eachLine(text, (line) => head + quoteLogfmt(line) + tail);
    },
  };
}

/** A line of the supervisor itself as a JSON object. */
export function formatOwnJson(name: string, pid: number, level: Level, text: string, wallMs: number): string {
  return `${JSON.stringify({ time: formatIsoTime(wallMs), level, program: name, pid, message: text })}\n`;
}

/** A line of the supervisor itself in logfmt. */
export function formatOwnLogfmt(name: string, pid: number, level: Level, text: string, wallMs: number): string {
  return `time=${formatIsoTime(wallMs)} level=${level} program=${quoteLogfmt(name)} pid=${pid} message=${quoteLogfmt(text)}\n`;
}

function eachLine(text: string, format: (line: string) => string): string {
  let out = '';
  let at = 0;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    out += format(text.slice(at, end));
    at = end + 1;
  }
  return out;
}

/** Whether a line is one JSON object and nothing else, so that it can stand in an object as it is. */
function isJsonObject(line: string): boolean {
  const text = line.trim();
  if (!text.startsWith('{') || !text.endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    // It only looks like one: an ordinary line.
    return false;
  }
}

/** A value as logfmt has it: in quotes when it is empty or holds a blank, a quote, an equals sign or a control character. */
export function quoteLogfmt(value: string): string {
  if (value !== '' && !/[\s"=\\\u0000-\u001f\u007f-\u009f\ufffd]/.test(value)) return value;
  const escaped = value.replace(/["\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    switch (character) {
      case '"': return '\\"';
      case '\\': return '\\\\';
      case '\n': return '\\n';
      case '\r': return '\\r';
      case '\t': return '\\t';
      default: return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    }
  });
  return `"${escaped}"`;
}
