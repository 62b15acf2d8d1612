/**
 * Changes the syntax tree of a Markdown page so that it reads well as a manual page: a table becomes a list of entries
 * (`.TP`), since the columns of the manual's tables are wider than a terminal, and links become names of pages. Pure.
 */
import type { BlockContent, Link, Nodes, Paragraph, Parents, PhrasingContent, Root, Table } from 'mdast';

/** Marks the tag of an entry, and its text. Characters for private use, which no page has. */
const TAG = '\u{E000}';
const TEXT = '\u{E001}';

/** Changes a tree in place. `pageOf` names the manual page of a topic. */
export function simplifyForMan(tree: Root, pageOf: (topic: string) => string): void {
  changeChildren(tree, (node) => {
    if (node.type === 'table') return entriesOf(node);
    if (node.type === 'link') return linkText(node, pageOf);
    return [node];
  });
}

/** Turns the paragraphs that a table became into entries: remark-man has no lists with tags. */
export function withHangingEntries(roff: string): string {
  return roff.replaceAll(`.P\n${TAG}`, '.TP\n').replaceAll(`.P\n${TEXT}`, '');
}

/** Replaces each node below a parent, the inner ones first. */
function changeChildren(parent: Parents, change: (node: Nodes) => readonly Nodes[]): void {
  const changed = parent.children.flatMap((child) => {
    if ('children' in child) changeChildren(child, change);
    return change(child);
  });
  (parent as { children: readonly Nodes[] }).children = changed;
}

/**
 * Makes two paragraphs of each row. The first cell is the tag. The others follow on two lines, with the names of their
 * columns; only the last column needs no name if it has a sentence about the tag.
 */
function entriesOf({ children: [head, ...rows] }: Table): BlockContent[] {
  const names = head?.children.map(({ children }) => children) ?? [];
  return rows.flatMap(({ children: [first, ...others] }) => {
    const named = others.map(({ children }, at) => {
      const name = names[at + 1] ?? [];
      const isPlain = others.length === 1 || (at === others.length - 1 && isSentenceColumn(name));
      return children.length === 0 || isPlain ? children : [...name, text(': '), ...children];
    });
    const last = named.pop() ?? [];
    const facts = named.filter((fact) => fact.length > 0);
    const line = facts.flatMap((fact, at) => [...(at === 0 ? [] : [text('; ')]), ...fact]);
    const body: PhrasingContent[] = line.length === 0 ? last : [...line, { type: 'break' }, ...last];
    return [paragraph([text(TAG), ...(first?.children ?? [])]), paragraph([text(TEXT), ...body])];
  });
}

/** True if a column has sentences about the first cell of the row, by its name. */
function isSentenceColumn(name: readonly PhrasingContent[]): boolean {
  const [only] = name;
  return only?.type === 'text' && only.value === 'meaning';
}

/** Returns the text of a link: to a page of the manual with the name of that page, to another site with the address. */
function linkText({ url, children }: Link, pageOf: (topic: string) => string): PhrasingContent[] {
  const topic = /^([\w-]+)\.md(?:#.*)?$/.exec(url)?.[1];
  const shown: PhrasingContent[] = children;
  if (topic === undefined) return /^https?:/.test(url) ? [...shown, text(` (${url})`)] : shown;
  const [only] = shown;
  const page = pageOf(topic);
  // "The reference" keeps its noun: its page has another name.
  const isTopicItself = shown.length === 1 && only?.type === 'text' && only.value === topic && page.includes(topic);
  return isTopicItself ? [strong(page)] : [...shown, text(' ('), strong(page), text(')')];
}

function paragraph(children: PhrasingContent[]): Paragraph {
  return { type: 'paragraph', children };
}

function strong(value: string): PhrasingContent {
  return { type: 'strong', children: [text(value)] };
}

function text(value: string): PhrasingContent {
  return { type: 'text', value };
}
