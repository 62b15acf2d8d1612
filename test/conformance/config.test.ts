/**
 * Our configuration compared with Supervisor's: public files with the results of Supervisor 4.3.0
 * (`../shared/conformance`), and cases of this project, evaluated by the installed Supervisor (`/usr/bin/python3`) in
 * one process. Each part reports when it is skipped.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { splitCommandLine } from '../../src/core/command-line.ts';
import type { Users } from '../../src/config/datatype.ts';
import { addText, emptyDocument, type RawOption } from '../../src/config/dialect.ts';
import { expand } from '../../src/config/expand.ts';
import { parseKeyValueList } from '../../src/config/key-value-list.ts';
import { openSource } from '../../src/config/source.ts';
import { type Answer, askSupervisor, missingOracle, type Question } from '../fuzz/oracle.ts';
import { cases, differences, names } from './config-cases.ts';
import { compareConfigs, compareValues, ENV, type Outcome, readTexts, readWith } from './config-comparison.ts';

const root = join(import.meta.dirname, '../..');

const shared = join(root, '../shared/conformance/config');
test(
  'configurations of public images mean what they mean to Supervisor 4.3.0',
  { skip: existsSync(shared) ? false : 'there is no ../shared/conformance/config' },
  () => {
    const wrong = readdirSync(shared)
      .filter((name) => name.endsWith('.conf'))
      .flatMap((name) => {
        const file = join(shared, name);
        const expected = JSON.parse(
          readFileSync(file.replace(/conf$/, 'json'), 'utf8')
            .replaceAll('@HERE@', shared)
            .replaceAll('@HOST@', hostname()),
        ) as Outcome;
        const actual = readWith(openSource({ ...ENV, ...(expected.env as Record<string, string>) }, null), file, true);
        if (expected.ok !== actual.ok)
          return [
            `${name}: expected ${JSON.stringify(expected.error ?? 'accepted')}, got ${JSON.stringify(actual.errors)}`,
          ];
        return expected.ok === true ? compareConfigs(expected, actual).map((line) => `${name}: ${line}`) : [];
      });
    assert.deepEqual(wrong, []);
  },
);

const skip = missingOracle();

const plain = (options: ReadonlyMap<string, RawOption>): Record<string, string> =>
  Object.fromEntries([...options].map(([name, { value }]) => [name, value]));

function readDialect(text: string): unknown {
  const document = emptyDocument();
  const [problem] = addText(document, text, 'f', '/').errors;
  if (problem !== undefined) throw new Error(problem.reason);
  return {
    sections: Object.fromEntries([...document.sections].map(([name, { options }]) => [name, plain(options)])),
    defaults: plain(document.defaults),
  };
}

function answerOurselves({ what, text, env = {}, names: known = {} }: Question): Answer {
  try {
    if (what === 'dialect') return { ok: true, value: readDialect(text) };
    if (what === 'pairs')
      return { ok: true, value: Object.fromEntries(parseKeyValueList([{ text, isValue: false }]).pairs) };
    if (what === 'words') return { ok: true, value: splitCommandLine(text) };
    if (what === 'format') return { ok: true, value: expand(text, new Map(Object.entries(known))) };
  } catch (error) {
    return { ok: false, error: String(error) };
  }
  const value = readTexts({ text, files: {}, env, isStatic: true });
  return value.ok === true ? { ok: true, value } : { ok: false, error: JSON.stringify(value.errors) };
}

function judge(question: Question, real: Answer, ours: Answer): string[] {
  const label = `${question.what} ${JSON.stringify(question.text)}`;
  if (real.ok !== ours.ok)
    return [
      `${label}: Supervisor ${real.ok ? 'accepts' : `refuses (${String(real.error)})`}, we ` +
        (ours.ok ? 'accept' : `refuse (${String(ours.error)})`),
    ];
  if (!real.ok) return [];
  const lines =
    question.what === 'config'
      ? compareConfigs(real.value as Outcome, ours.value as Outcome)
      : compareValues(real.value, ours.value, '');
  return lines.map((line) => `${label}: ${line}`);
}

test(`${cases.length} cases have the same result as in the installed Supervisor`, { skip }, () => {
  assert.ok(cases.length >= 100);
  const questions = cases.map(([what, text]): Question => ({
    what,
    text,
    names,
    env: { ...ENV, A: 'va', N: '2', P: 'B=2,C=3' },
  }));
  const real = askSupervisor(questions);
  assert.deepEqual(
    questions.flatMap((question, index) => judge(question, real[index] as Answer, answerOurselves(question))),
    [],
  );
});

test('known differences still exist, each with its reason', { skip }, () => {
  const questions = differences.map(([what, text]): Question => ({
    what,
    text,
    names,
    env: { ...ENV, SECRET: `a"b,c%d`, ZERO: '' },
  }));
  const real = askSupervisor(questions);
  const gone = differences.filter(
    (_, index) =>
      judge(questions[index] as Question, real[index] as Answer, answerOurselves(questions[index] as Question))
        .length === 0,
  );
  assert.deepEqual(
    gone.map(([, text, reason]) => `${reason}: ${text}`),
    [],
  );
});

test('users, directories and includes are looked up as the installed Supervisor does', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'onevisor-conf-'));
  try {
    const files: Record<string, string> = {
      'conf.d/b.conf': '[program:b]\ncommand=%(here)s/b\n',
      'conf.d/a.conf': '[program:a]\ncommand=/a\nstdout_logfile=%(here)s/a.log\n',
      'conf.d/.c.conf': '[program:c]\ncommand=/c\n',
      'conf.d/d.ini': '[program:a]\nstartsecs=9\n',
      'bad.conf': '[program:z]\nfoo\n',
      'latin.conf': '',
      'bom.conf': '\uFEFF[program:z]\ncommand=x\n',
    };
    mkdirSync(join(directory, 'conf.d/dir.conf'), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    writeFileSync(join(directory, 'latin.conf'), Buffer.from('[program:z]\ncommand=\xe9\n', 'latin1'));
    const S = '[supervisord]\n';
    // Numeric users and groups that are unknown to the machine are accepted here, and refused by Supervisor.
    const bodies = [
      `${S}[include]\nfiles=conf.d/*.conf\n`,
      `${S}[include]\nfiles=conf.d/*.ini conf.d/?.conf\n`,
      `${S}[include]\nfiles=conf.d/[!a].conf\n  conf.d/d.ini\n`,
      `${S}[include]\nfiles=conf.d/.c*\n`,
      `${S}[include]\nfiles=conf.d/**/*.conf\n`,
      `${S}[include]\nfiles=**/a.conf\n`,
      `${S}[include]\nfiles=conf.d/[ab.conf nope\n`,
      `${S}[include]\nfiles=%(here)s/conf.d/a.conf conf.d/../conf.d/b.conf\n[program:q]\ncommand=%(here)s\n`,
      `${S}[include]\nfiles=bad.conf\n`,
      `${S}[include]\nfiles=latin.conf\n`,
      `${S}[include]\nfiles=bom.conf\n`,
      `${S}[include]\nfiles=conf.d/dir.conf\n`,
      `${S}[include]\nfiles=conf.d/%(ENV_NAME)s.conf\n`,
      `${S}user=root\n`,
      `${S}user=nobodyhere\n`,
      `${S}directory=/tmp\n`,
      `${S}directory=/nope\n`,
      `${S}childlogdir=/nope\n`,
      `${S}logfile=/nope/x\n`,
      `${S}pidfile=/nope/x\n`,
      `${S}logfile=x\npidfile=y\n`,
      ...[
        'user=root',
        'user=0',
        'user=nobodyhere',
        'stdout_logfile=/tmp/x',
        'stdout_logfile=/nope/x',
        'stderr_logfile=/tmp/',
        'directory=/nope',
        'stdout_logfile=nope/x',
        'stdout_logfile=~/x',
        'stdout_logfile=~root/x',
        'stdout_logfile=/dev/stdout',
        'stdout_logfile=/dev/fd/1',
      ].map((line) => `${S}[program:p]\ncommand=/p\n${line}\n`),
      ...['chown=root', 'chown=root:root', 'chown=root:nogrouphere', 'chown=nobodyhere', 'chown=0:0'].map(
        (line) => `${S}[unix_http_server]\nfile=/tmp/x\n${line}\n`,
      ),
    ];
    const env = { ...ENV, NAME: 'a' };
    const questions = bodies.map((text, index): Question => {
      const path = join(directory, `${index}.main`);
      writeFileSync(path, text);
      return { what: 'file', path, text, env };
    });
    const real = askSupervisor(questions);
    const wrong = questions.flatMap((question, index) => {
      const value = readWith(openSource(env, systemUsers()), String(question.path), false);
      const ours: Answer = value.ok === true ? { ok: true, value } : { ok: false, error: JSON.stringify(value.errors) };
      return judge({ ...question, what: 'config' }, real[index] as Answer, ours);
    });
    assert.deepEqual(wrong, []);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** Returns the users of /etc/passwd and the groups of /etc/group, without the addon. */
function systemUsers(): Users {
  const rows = (file: string): string[][] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  const [passwd, group] = [rows('/etc/passwd'), rows('/etc/group')];
  const user = (row: string[] | undefined): { home: string } | null =>
    row === undefined ? null : { home: row[5] ?? dirname('/') };
  return {
    userByName: (name) => user(passwd.find((row) => row[0] === name)),
    userById: (uid) => user(passwd.find((row) => row[2] === String(uid))),
    groupByName: (name) => group.find((row) => row[0] === name) ?? null,
    groupById: (gid) => group.find((row) => row[2] === String(gid)) ?? null,
  };
}
