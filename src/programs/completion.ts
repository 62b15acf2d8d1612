/**
 * `onevisor completion SHELL`: prints the script for the completion of a shell. `onevisor completion words SHELL …`
 * prints the words that fit at the end of a command line; the scripts call this at each Tab.
 */
import type { OptionSpec } from '../cli/command-spec.ts';
import { findOffers, type Offer, type Offers, type OfferSources } from '../cli/complete.ts';
import { insertionFor, splitTyped } from '../cli/typed-line.ts';
import { flagRows } from '../config/flags.ts';
import { listOptionTopics } from '../config/option-help.ts';
import { showText } from '../core/shown-text.ts';
import { listNames } from '../ctl/list-names.ts';
import { currentDirectory } from '../files/current-directory.ts';
import { openDiscovery } from '../startup/find-supervisor.ts';
import { completionScript, shellNames } from './completion-scripts.ts';
import { listPages, readManual } from './help.ts';
import type { ProgramIo } from './program-io.ts';

/** Longest wait for a supervisor, in milliseconds: a person waits for the Tab key. */
const PATIENCE_MS = 1000;

/** Input of `completion`. */
export interface CompletionIo extends ProgramIo {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly calledPath: string;
}

/** Kinds of values of the flags of the supervisor. */
const VALUE_KINDS: Readonly<Record<string, OptionSpec['valueKind']>> = { FILENAME: 'file', DIRECTORY: 'directory' };

/** Runs `completion` with the arguments after its name. Returns the exit code. */
export async function runCompletion(args: readonly string[], io: CompletionIo): Promise<number> {
  const [word = '', ...rest] = args;
  if (word === 'words') {
    io.out(await listWords(rest, sourcesOf(io)));
    return 0;
  }
  const shell = shellNames.find((name) => name === word);
  if (shell === undefined || rest.length > 0) {
    io.err(
      `Error: there is no completion for "${showText(args.join(' '))}", only for ${shellNames.join(', ')}\n` +
        'For help, use onevisor completion --help\n',
    );
    return 2;
  }
  io.out(completionScript(shell, io.calledPath));
  return 0;
}

/** Returns a line for each word that fits: the word, and for zsh and fish a tab and its meaning. */
export async function listWords([shell, ...words]: readonly string[], sources: OfferSources): Promise<string> {
  if (shell !== 'bash') return formatOffers(await findOffers(unquoteLast(words), sources), formatWithHelp);
  const [line = '', breaks = ''] = words;
  const typed = splitTyped(line);
  const found = await findOffers(typed.words, sources);
  return formatOffers(found, ({ word }) => insertionFor(word, typed, breaks));
}

/** Removes the quotes of the last word, which fish leaves. */
function unquoteLast(words: readonly string[]): string[] {
  return [...words.slice(0, -1), splitTyped(words.at(-1) ?? '').words.at(-1) ?? ''];
}

function formatWithHelp({ word, help }: Offer): string {
  return `${word}\t${help}`;
}

function formatOffers({ offers, paths }: Offers, format: (offer: Offer) => string): string {
  // A name with a line end would be two words.
  const lines = offers.filter(({ word }) => !/[\p{Cc}\p{Cs}]/u.test(word)).map(format);
  return [...lines, ...(paths === null ? [] : [`:${paths}`])].map((line) => `${line}\n`).join('');
}

function sourcesOf({ env, calledPath }: CompletionIo): OfferSources {
  const flags = flagRows.map(({ names, value, doc }): OptionSpec => {
    const option = { names, help: doc };
    return value === null ? option : { ...option, value, valueKind: VALUE_KINDS[value] ?? 'text' };
  });
  return {
    flags,
    listTopics: () => [
      ...listPages(readManual()).map((word) => ({ word, help: 'page of the manual' })),
      ...listOptionTopics().map((word) => ({ word, help: 'option' })),
    ],
    listProcesses(options) {
      const cwd = currentDirectory();
      const place = { env, cwd, calledPath, discovery: openDiscovery(env, cwd, calledPath) };
      return listNames(options, place, AbortSignal.timeout(PATIENCE_MS));
    },
  };
}
