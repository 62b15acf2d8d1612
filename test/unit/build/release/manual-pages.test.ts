/** The manual pages: their names, tables and links in them, and that man(1) shows them without warnings. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { manualPages, pageOf, sectionOf, topicContents } from '../../../../build/release/manual-pages.ts';
import { ROOT } from '../../../../build/platform.ts';
import { isInstalled } from '../../../../build/rootfs.ts';
import { commandSpecs } from '../../../../src/cli/commands.ts';
import { formatCommandReference } from '../../../../src/cli/help-text.ts';
import { supervisorFlags } from '../../../../src/config/flags.ts';
import { readManual } from '../../../../src/programs/help.ts';
import type { ManualSources } from '../../../../build/release/manual-pages.ts';

const SOURCES: ManualSources = {
  main: readFileSync(join(ROOT, 'build', 'release', 'onevisor.1.md'), 'utf8'),
  topics: readManual(),
  flags: supervisorFlags,
  commands: formatCommandReference(),
  version: '1.2.3',
  date: new Date('2026-01-02T03:04:05Z'),
};
const pages = new Map(manualPages(SOURCES).map((page) => [page.file, page.roff]));

/** The page of one topic. */
function pageWith(markdown: string): string {
  const made = manualPages({ ...SOURCES, topics: { ...SOURCES.topics, logs: markdown } });
  return made.find(({ file }) => file === 'onevisor-logs.7')?.roff ?? '';
}

test('each topic has a page, and no page has a name of the package supervisor', () => {
  const expected = Object.keys(SOURCES.topics).map((topic) => pageOf(topic).replace(/\((\d)\)/, '.$1'));
  assert.deepEqual([...pages.keys()], [...new Set(expected)].sort());
  assert.deepEqual(
    [...pages.keys()].filter((file) => !file.startsWith('onevisor')),
    [],
  );
});

test('onevisor(1) has every command and every option', () => {
  const main = pages.get('onevisor.1') ?? '';
  for (const { name } of commandSpecs) assert.ok(main.includes(`.TP\n\\fB${name}`), name);
  for (const { long } of supervisorFlags) assert.ok(main.includes(`\\fB--${long}\\fR`), long);
  assert.match(main, /^\.SH "SEE ALSO"$[^]*onevisor\.conf/m);
});

test('the head has the name, the version and the month of the commit', () => {
  assert.match(pages.get('onevisor.conf.5') ?? '', /^\.TH "ONEVISOR\.CONF" "5" "January 2026" "onevisor 1\.2\.3"/);
  assert.match(pages.get('onevisor-logs.7') ?? '', /^\\fBonevisor-logs\\fR - Prefixes, JSON/m);
});

test('the section NAME has one line, and an introduction is in a section of its own', () => {
  for (const [file, roff] of pages) assert.match(roff, /^\.SH "NAME"\n\\fB[\w.-]+\\fR - .*\n\.SH "/m, file);
  assert.match(pages.get('onevisor.conf.5') ?? '', /^\.SH "DESCRIPTION"\n\.P\nonevisor reads Supervisor/m);
  assert.match(pageWith('# Logs\n\n## One\n\nText\n'), /\.SH "ONE"\n/);
  assert.doesNotMatch(pageWith('# Logs\n\n## One\n\nText\n'), /DESCRIPTION/);
});

test('a table becomes entries, with the names of columns where they are needed', () => {
  const rows =
    '| option | type | default | meaning |\n|-|-|-|-|\n| `a` | text |  | Sets a. |\n| `b` | word | x | Sets b. |';
  assert.match(
    pageWith(`# Logs\n\n${rows}\n`),
    /^\.TP\n\\fBa\\fR\ntype: text\n\.br\nSets a\.\n\.TP\n\\fBb\\fR\ntype: word; default: x\n\.br\nSets b\.$/m,
  );
  const compared = '| what | Supervisor | onevisor |\n|-|-|-|\n| x | no | yes |';
  assert.match(pageWith(`# Logs\n\n${compared}\n`), /^\.TP\nx\nSupervisor: no\n\.br\nonevisor: yes$/m);
  assert.match(pageWith('# Logs\n\n| a | b |\n|-|-|\n| x | no |\n'), /^\.TP\nx\nno$/m);
});

test('a link becomes the name of a page, or keeps its address', () => {
  const text = pageWith('# Logs\n\n[events](events.md), [them](events.md#a), [site](https://a.test/b), [here](#x)\n');
  assert.match(text, /\\fBonevisor-events\(7\)\\fR, them \(\\fBonevisor-events\(7\)\\fR\), site \(https:/);
  assert.match(text, /, here$/m);
  assert.match(
    pageWith('# Logs\n\nThe [reference](reference.md) has all.\n'),
    /^The reference \(\\fBonevisor\.conf\(5\)\\fR\) has all\.$/m,
  );
  assert.equal(pageOf('reference'), 'onevisor.conf(5)');
  assert.equal(pageOf('README'), 'onevisor(1)');
});

test('a missing part is an error', () => {
  assert.throws(() => sectionOf('# A\n', 'Exit codes'), /no heading "Exit codes"/);
  assert.throws(() => manualPages({ ...SOURCES, main: '# a(1) -- b\n\n<!-- nothing -->\n' }), /no part for/);
  assert.deepEqual([...topicContents('| [a-b](a-b.md) | `X`, and y. |\n| - | - |\n')], [['a-b', 'X, and y']]);
});

const skip = (await isInstalled('man')) && (await isInstalled('groff')) ? false : 'man is not installed';

test('man shows each page without a warning', { skip }, () => {
  for (const [file, roff] of pages) {
    const env = { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8' };
    const { stdout, stderr } = spawnSync('man', ['--warnings=w', '-l', '-'], { input: roff, env, encoding: 'utf8' });
    assert.equal(stderr, '', file);
    assert.ok(stdout.startsWith(file.toUpperCase().replace(/\.(\d)$/, '($1)')), stdout.slice(0, 80));
  }
});
