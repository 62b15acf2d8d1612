/**
 * Lays Markdown out as plain text for a terminal: wrapped paragraphs and lists, indented code, tables in columns.
 * Understands the Markdown that the manual uses. Pure; reads no file.
 */

/** Indentation of code. */
const CODE_INDENT = '    ';
/** Space between two columns of a table. */
const GAP = '  ';
/** Minimum width of a table column. If the columns cannot be this wide, each row becomes a paragraph. */
const NARROWEST_COLUMN = 12;
/** Minimum width of a page. On a narrower terminal, lines are longer than the terminal. */
const NARROWEST_PAGE = 30;

/** Matches the beginning of a list entry: its indentation, and its bullet or number. */
const LIST_ENTRY = /^(\s*)([-*]|\d+\.)\s+/;

/** Lays a page out in lines of at most `width` columns, as far as words and code allow. Ends with a newline. */
export function layOutMarkdown(markdown: string, width: number): string {
  const columns = Math.max(width, NARROWEST_PAGE);
  const blocks = splitBlocks(markdown.replace(/<!--[^]{0,400}?-->\n?/g, ''));
  const parts = blocks.map((block) => layOutBlock(block, columns)).filter((part) => part !== '');
  return `${parts.join('\n\n')}\n`;
}

type Block =
  | { readonly kind: 'code'; readonly lines: readonly string[] }
  | { readonly kind: 'heading' | 'table' | 'list' | 'text'; readonly lines: readonly string[] };

/** Splits a page at blank lines and code fences. */
function splitBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  const finish = (): void => {
    if (lines.length > 0) blocks.push({ kind: kindOf(lines[0] ?? ''), lines });
    lines = [];
  };
  let code: string[] | null = null;
  for (const line of markdown.split('\n')) {
    if (line.trimStart().startsWith('```')) {
      if (code === null) finish();
      else blocks.push({ kind: 'code', lines: code });
      code = code === null ? [] : null;
    } else if (code !== null) {
      code.push(line);
    } else if (line.trim() === '') {
      finish();
    } else {
      lines.push(line);
    }
  }
  finish();
  return blocks;
}

function kindOf(first: string): 'heading' | 'table' | 'list' | 'text' {
  if (/^#{1,6} /.test(first)) return 'heading';
  if (first.startsWith('|')) return 'table';
  return LIST_ENTRY.test(first) ? 'list' : 'text';
}

function layOutBlock({ kind, lines }: Block, width: number): string {
  switch (kind) {
    case 'code':
      return lines.map((line) => (line === '' ? '' : `${CODE_INDENT}${line}`)).join('\n');
    case 'heading':
      return layOutHeading(lines[0] ?? '');
    case 'table':
      return layOutTable(lines, width);
    case 'list':
      return layOutList(lines, width);
    case 'text':
      return wrap(plainText(lines.join(' ')), width).join('\n');
  }
}

/** Formats a heading. The title of the page is underlined; other headings are in capitals or unchanged. */
function layOutHeading(line: string): string {
  const level = /^#+/.exec(line)?.[0].length ?? 1;
  const text = plainText(line.slice(level + 1));
  if (level === 1) return `${text}\n${'='.repeat(text.length)}`;
  return level === 2 ? `${text}\n${'-'.repeat(text.length)}` : text;
}

function layOutList(lines: readonly string[], width: number): string {
  const entries: string[] = [];
  for (const line of lines) {
    if (LIST_ENTRY.test(line)) entries.push(line);
    else entries.push(`${entries.pop() ?? ''} ${line.trim()}`);
  }
  return entries
    .map((entry) => {
      const [all = '', indent = '', mark = ''] = LIST_ENTRY.exec(entry) ?? [];
      const first = `${indent}${mark} `;
      const text = wrap(plainText(entry.slice(all.length)), width - first.length);
      return text.map((part, index) => `${index === 0 ? first : ' '.repeat(first.length)}${part}`).join('\n');
    })
    .join('\n');
}

function layOutTable(lines: readonly string[], width: number): string {
  const [head = [], , ...rows] = lines.map(splitRow);
  const widths = fitColumns([head, ...rows], width);
  if (widths === null) return rows.map((row) => layOutRecord(head, row, width)).join('\n\n');
  const rule = widths.map((columns) => '-'.repeat(columns)).join(GAP);
  const isNamed = head.some((cell) => cell !== '');
  const body = rows.flatMap((row) => layOutRow(row, widths));
  return [...(isNamed ? [...layOutRow(head, widths), rule] : []), ...body].join('\n');
}

/** Splits a row into cells; `\|` is a bar within a cell. */
function splitRow(line: string): string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => plainText(cell.trim().replaceAll('\\|', '|')));
}

/** Returns the widths of the columns. Narrows the widest until all fit; null if they cannot fit. */
function fitColumns(rows: ReadonlyArray<readonly string[]>, width: number): number[] | null {
  const count = rows[0]?.length ?? 0;
  const columnsOf = (at: number): string[] => rows.map((row) => row[at] ?? '');
  const widths = Array.from({ length: count }, (_, at) => Math.max(1, ...columnsOf(at).map((cell) => cell.length)));
  const least = widths.map((natural, at) => Math.min(natural, Math.max(NARROWEST_COLUMN, longestWord(columnsOf(at)))));
  const room = width - GAP.length * (count - 1);
  for (let excess = widths.reduce((sum, columns) => sum + columns, -room); excess > 0; excess--) {
    const spare = widths.map((columns, at) => (columns > (least[at] ?? 0) ? columns : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) return null;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** Returns the length of the longest word, which is the minimum width of a column with whole words. */
function longestWord(cells: readonly string[]): number {
  return Math.max(...cells.flatMap((cell) => cell.split(' ')).map((word) => word.length));
}

function layOutRow(row: readonly string[], widths: readonly number[]): string[] {
  const cells = widths.map((columns, at) => wrap(row[at] ?? '', columns));
  const height = Math.max(...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, line) =>
    widths
      .map((columns, at) => (cells[at]?.[line] ?? '').padEnd(columns))
      .join(GAP)
      .trimEnd(),
  );
}

/** Formats a row as a paragraph: the first cell, and the others below it with the names of their columns. */
function layOutRecord(head: readonly string[], row: readonly string[], width: number): string {
  const [title = '', ...others] = row;
  const lines = others.flatMap((cell, at) => {
    if (cell === '') return [];
    const name = head[at + 1] ?? '';
    return wrap(name === '' ? cell : `${name}: ${cell}`, width - CODE_INDENT.length);
  });
  return [...wrap(title, width), ...lines.map((line) => `${CODE_INDENT}${line}`)].join('\n');
}

/**
 * Removes the markup of Markdown. Code keeps its quotes, which mark its end. A link within the manual becomes its text,
 * which names the page; a link to another site is followed by its address.
 */
function plainText(markdown: string): string {
  return markdown
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith('`')
        ? part
        : part
            .replace(/\[([^\][]{1,200})\]\((https?:[^()\s]{1,400})\)/g, '$1 ($2)')
            .replace(/\[([^\][]{1,200})\]\([^()]{1,400}\)/g, '$1')
            .replace(/\*\*([^*]+)\*\*/g, '$1')
            .replace(/\\([\\`*_|<>[\]])/g, '$1'),
    )
    .join('')
    .replace(/\[(`[^`]{0,200}`)\]\([^()]{1,400}\)/g, '$1')
    .replace(/\*\*/g, '');
}

/** Wraps a text at spaces. A word longer than the width is alone on its line. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}
