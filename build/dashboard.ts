/**
 * Bundles src/dashboard/ into one asset: the page with its script and its style sheet, and the Content-Security-Policy
 * with the hashes of both.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { packagesIn } from './bundle.ts';
import { writeWhole } from './cache.ts';
import { CACHE, ROOT } from './platform.ts';

/** Largest size of the page, compressed. */
const MAX_GZIP_BYTES = 60_000;

/** The asset, and the npm packages whose code is in it. */
export interface DashboardBundle {
  readonly path: string;
  readonly packages: readonly string[];
}

const FOLDER = join(ROOT, 'src', 'dashboard');

async function bundleEntry(name: string): Promise<{ readonly code: string; readonly packages: readonly string[] }> {
  const result = await build({
    entryPoints: [join(FOLDER, name)],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['es2022'],
    charset: 'utf8',
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfig: join(FOLDER, 'tsconfig.json'),
    logLevel: 'warning',
  });
  const code = (result.outputFiles[0]?.text ?? '').trim();
  return { code, packages: packagesIn(Object.keys(result.metafile.inputs)) };
}

/** Returns the source of a Content-Security-Policy that allows one text. */
function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** Makes the page from its template. A function as replacement, because code contains `$&`. */
function fillTemplate(template: string, style: string, script: string): string {
  return template.replace('{{style}}', () => style).replace('{{script}}', () => script);
}

/** Bundles the dashboard. Throws if it is larger than its limit. Returns the path of the asset. */
export async function bundleDashboard(): Promise<DashboardBundle> {
  const [main, style, template] = await Promise.all([
    bundleEntry('main.tsx'),
    bundleEntry('style.css'),
    readFile(join(FOLDER, 'index.html'), 'utf8'),
  ]);
  // The end tag of a script element ends the script, wherever it stands in the code.
  const script = main.code.replaceAll('</script', String.raw`<\/script`);
  const page = gzipSync(fillTemplate(template, style.code, script), { level: 9 });
  if (page.length > MAX_GZIP_BYTES)
    throw new Error(`the dashboard has ${page.length} bytes, more than ${MAX_GZIP_BYTES}`);
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style.code)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
  const path = join(CACHE, 'dashboard.json');
  await writeWhole(path, JSON.stringify({ page: page.toString('base64'), policy }));
  return { path, packages: [...new Set([...main.packages, ...style.packages])] };
}
