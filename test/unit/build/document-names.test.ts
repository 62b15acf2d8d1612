/** The documents for developers name only files that exist, and their links lead somewhere. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../../build/platform.ts';

const DOCUMENTS = ['.github/CONTRIBUTING.md', 'src/ARCHITECTURE.md', 'README.md'];

/** Matches a path with a folder, but not in `dist/`, and the name of a file in the root. */
const FILE_NAME = /^(?!dist\/)(?:(?:[\w.*-]+\/)+[\w.*-]*|[\w-]+\.(?:ts|cjs|json|md))$/;

/** Returns the anchors of the headings of a page, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** True if a link of a document leads to a file, and to a heading in it if it has an anchor. */
function isLinkAlive(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(ROOT, document) : join(ROOT, dirname(document), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || anchorsOf(readFileSync(target, 'utf8')).includes(anchor);
}

for (const document of DOCUMENTS) {
  const text = readFileSync(join(ROOT, document), 'utf8');

  test(`${document}: each link leads to a file and a heading that exist`, () => {
    const links = Array.from(text.matchAll(/\]\(([^)]+)\)/g), ([, link = '']) => link);
    const own = links.filter((link) => !/^[a-z]+:/.test(link));
    assert.ok(own.length > 0);
    assert.deepEqual(
      own.filter((link) => !isLinkAlive(document, link)),
      [],
    );
  });

  test(`${document}: each file that it names exists`, () => {
    const names = Array.from(text.matchAll(/`([^`\n]+)`/g), ([, name = '']) => name);
    const missing = names.filter(
      (name) => FILE_NAME.test(name) && globSync([name, join('src', name)], { cwd: ROOT }).length === 0,
    );
    assert.deepEqual(missing, []);
    assert.ok(names.length > 0);
  });
}
