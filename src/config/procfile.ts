/**
 * A Procfile (`name: command` a line) as programs. Pure.
 */
import { joinCommandLine } from './command-line.ts';
import { type Document, ensureSection } from './dialect.ts';
import type { Problems } from './problems.ts';
import { splitLines, strip } from './python-text.ts';

const FIRST_PORT = 5000;
const PORT_STEP = 100;

/**
 * Adds the programs of a Procfile to a document. A command goes to a shell, as with foreman; so that the shell's children get the
 * signals too, stopasgroup is on.
 *
 * @returns the first PORT of each program: 5000 and 100 more a line
 */
export function addProcfile(document: Document, text: string, file: string, here: string, problems: Problems): Map<string, number> {
  const ports = new Map<string, number>();
  splitLines(text).forEach((line, index) => {
    const content = strip(line);
    if (content === '' || content.startsWith('#')) return;
    const place = { file, line: index + 1 };
    const match = /^([\w.-]+)\s*:\s*(.+)$/.exec(content);
    if (match === null) {
      problems.error(place, '', null, 'cannot understand this line of a Procfile; expected "name: command"');
      return;
    }
    const [, name = '', command = ''] = match;
    if (ports.has(name)) problems.error(place, `program:${name}`, null, 'this name is in the Procfile already');
    ports.set(name, FIRST_PORT + PORT_STEP * ports.size);
    const { options } = ensureSection(document, `program:${name}`, place);
    const set = (option: string, value: string): unknown => options.set(option, { value, place, here, literal: true });
    set('command', joinCommandLine(['/bin/sh', '-c', command]));
    set('stopasgroup', 'true');
    set('numprocs_start', '1');
  });
  return ports;
}
