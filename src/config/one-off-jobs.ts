/**
 * Finding of `check --strict`: a program that is meant to run once, without oneshot. Without oneshot, an end within
 * startsecs is a failed start, and autorestart=true runs the job again and again. A script of a shell is not looked
 * into: a shell that ends without a server at its end cannot be told from the text. Pure.
 */
import type { Dependency, Problem, ProcessConfig } from './model.ts';
import { type Judged, nameSection, problemOf, processesOf } from './findings.ts';

/** Commands that do one thing and end: their words without folders, with a blank between them. */
const JOBS: readonly RegExp[] = [
  // Frameworks: migrations, caches, assets.
  /^(?:python[\d.]* )?manage\.py (?:migrate|collectstatic|createsuperuser|loaddata|compilemessages|check)\b/,
  /^django-admin (?:migrate|collectstatic|loaddata)\b/,
  /^(?:bundle exec )?(?:rake|rails) (?:db|assets):/,
  /^(?:python[\d.]* -m )?(?:alembic (?:.* )?(?:upgrade|downgrade|stamp)|flask (?:.* )?db upgrade)\b/,
  /^php[\d.]* artisan (?:migrate|db:seed|(?:config|route|view|event):cache|storage:link|optimize)\b/,
  /^(?:php[\d.]* )?console (?:doctrine:migrations:migrate|cache:(?:clear|warmup)|assets:install)\b/,
  /^(?:npx )?(?:prisma (?:migrate deploy|db push|generate)|sequelize db:migrate|knex migrate:)\b/,
  // Tools for databases.
  /^(?:flyway (?:.* )?migrate|liquibase (?:.* )?update|dbmate (?:.* )?(?:up|migrate)|goose (?:.* )?up)\b/,
  // Packages and files.
  /^(?:npm (?:ci|install)|yarn install|pnpm install|composer install|bundle install|pip3? install)\b/,
  /^(?:chown|chmod|mkdir|cp|mv|ln|touch)(?: |$)/,
];

/** Number of words, and length of a word, that are looked at. */
const MAX_WORDS = 12;
const MAX_LENGTH = 100;

/** Returns the words that make a command a known job; null if it is none. */
function findJob({ argv }: ProcessConfig): string | null {
  const words = argv.slice(0, MAX_WORDS).map((word) => word.slice(word.lastIndexOf('/') + 1).slice(0, MAX_LENGTH));
  const text = words.join(' ');
  return JOBS.map((job) => job.exec(text)?.[0].trim()).find((found) => found !== undefined) ?? null;
}

/** A dependent of a process, and the condition that it waits for. */
interface Dependent {
  readonly proc: ProcessConfig;
  readonly dependency: Dependency;
}

/** Finds jobs without oneshot. */
export function findOneOffJobs(judged: Judged): Problem[] {
  const all = processesOf(judged.config);
  const dependents = new Map<string, Dependent[]>();
  for (const proc of all) {
    for (const dependency of proc.dependsOn) {
      const id = `${dependency.group}:${dependency.process}`;
      const known = dependents.get(id);
      if (known === undefined) dependents.set(id, [{ proc, dependency }]);
      else known.push({ proc, dependency });
    }
  }
  return all.flatMap((proc) => {
    const { oneshot, cron } = proc.options;
    if (oneshot || cron !== null || proc.type !== 'program') return [];
    const reason =
      explainKnownJob(proc) ?? explainWaited(proc, dependents.get(`${proc.group}:${proc.name}`) ?? [], judged);
    return reason === null ? [] : [problemOf(judged, proc, 'command', reason)];
  });
}

/** Explains a known command that the other options do not let run just once. */
function explainKnownJob(proc: ProcessConfig): string | null {
  const { autorestart, startsecs } = proc.options;
  if (autorestart !== 'true' && startsecs === 0) return null;
  const job = findJob(proc);
  if (job === null) return null;
  return autorestart === 'true'
    ? `"${job}" ends when its work is done, and autorestart=true runs it again each time; set oneshot=true`
    : `"${job}" ends when its work is done, and an end within startsecs (${startsecs} s) is a failed start, ` +
        'which is tried again; set oneshot=true';
}

/** Explains a program whose end, or whose mere start, another program waits for. */
function explainWaited(proc: ProcessConfig, dependents: readonly Dependent[], judged: Judged): string | null {
  const { autorestart, startsecs } = proc.options;
  const waits = (...wanted: readonly string[]): Dependent | undefined =>
    dependents.find(({ dependency: { conditions } }) => conditions.every((condition) => wanted.includes(condition)));
  const name = ({ proc: other }: Dependent): string => nameSection(judged, other, 'depends_on');
  const forEnd = waits('completed', 'exited');
  // An endless one is reported at the dependency (dependencies.ts).
  if (forEnd !== undefined && startsecs > 0 && autorestart !== 'true')
    return (
      `${name(forEnd)} waits for its end, and an end within startsecs (${startsecs} s) does not count, but is a ` +
      'failed start; set oneshot=true'
    );
  const forStart = waits('started');
  if (forStart !== undefined && startsecs === 0 && autorestart === 'false')
    return (
      `with startsecs=0 and autorestart=false it looks like a job, and ${name(forStart)} does not wait for its end; ` +
      `set oneshot=true here, and depends_on=${proc.program}:completed there`
    );
  return null;
}
