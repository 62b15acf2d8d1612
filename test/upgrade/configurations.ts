/** Collects the configurations of the manual, and their effective options by `check --static --json`. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BLOCKS, withSupervisord } from '../e2e/manual-blocks.ts';
import { EXECUTABLE } from '../e2e/launch.ts';
import type { Configurations, Options } from './transcripts.ts';

const run = promisify(execFile);

/** Members of the report that are not options: new warnings may appear, and paths differ. */
const NO_OPTIONS = new Set(['ok', 'errors', 'warnings', 'notes', 'file', 'included']);

/** Returns the configurations of the manual that are accepted. */
export function manualConfigurations(): ReadonlyArray<{ readonly name: string; readonly text: string }> {
  return BLOCKS.filter(({ language, kind }) => language === 'ini' && kind === 'example').map(({ name, text }) => ({
    name,
    text: withSupervisord(text),
  }));
}

/** Returns the effective options by section; null if the configuration is refused. */
export async function effectiveOptions(text: string): Promise<Readonly<Record<string, readonly Options[]>> | null> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-upgrade-'));
  try {
    const path = join(folder, 'supervisord.conf');
    await writeFile(path, text);
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/root', HOSTNAME: 'host', ...namesIn(text) };
    const { stdout } = await run(EXECUTABLE, ['check', '--static', '--json', '-c', path], {
      cwd: '/',
      env,
      maxBuffer: 1 << 26,
    }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }));
    const report = JSON.parse(stdout.replaceAll(folder, '/etc')) as Readonly<Record<string, unknown>>;
    if (report['ok'] !== true) return null;
    const sections = Object.entries(report).filter(([name]) => !NO_OPTIONS.has(name));
    return Object.fromEntries(
      sections.map(([name, value]) => [name, (Array.isArray(value) ? value : [value]) as Options[]]),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Gives a value to every variable that a configuration names. */
function namesIn(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/%\(ENV_(\w+)\)/g)].map(([, name = '']) => [name, '1']));
}

/** Collects all configurations, in a form without what all have in first. */
export async function collect(): Promise<Configurations> {
  const defaults: Record<string, Options> = {};
  const configurations: Array<Configurations['configurations'][number]> = [];
  for (const { name, text } of manualConfigurations()) {
    const options = await effectiveOptions(text);
    if (options === null) continue;
    const kept: Record<string, readonly Options[]> = {};
    for (const [section, values] of Object.entries(options)) {
      if (values.length === 0) continue;
      const first = (defaults[section] ??= values[0] ?? {});
      kept[section] = values.map((value) => differenceOf(first, value));
    }
    configurations.push({ name, text, options: kept });
  }
  return { defaults, configurations };
}

/** Returns the members of `value` that differ from those of `first`. A member that is missing there is `undefined`. */
function differenceOf(first: Options, value: Options): Options {
  return Object.fromEntries(
    [...new Set([...Object.keys(first), ...Object.keys(value)])]
      .filter((name) => JSON.stringify(first[name]) !== JSON.stringify(value[name]))
      .map((name) => [name, value[name] ?? null]),
  );
}
