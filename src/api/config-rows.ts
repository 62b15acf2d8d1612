/** The row of the effective configuration. */
import type { EffectiveOption } from '../config/effective-sections.ts';
import { configSchema } from './answer-schemas.ts';
import { Lane } from '../core/lane.ts';
import { chooseProcesses, displayNameOf } from './names.ts';
import { namesParameter } from './read-rows.ts';
import { type ApiCall, type ApiRow, defineRow } from './row.ts';
import { maybe, truth } from './schema.ts';
import type { ConfigAnswer, OptionAnswer, SectionAnswer } from './types.ts';

/** Number of sections that are made in one turn of the event loop. A section takes up to 1 ms. */
const SECTIONS_PER_TURN = 5;

/** Parameters. */
interface ConfigQuery {
  readonly names?: readonly string[];
  readonly all?: boolean;
}

function optionAnswer({ name, value, place }: EffectiveOption): OptionAnswer {
  return {
    name,
    value,
    set: place !== null,
    ...(place === null ? {} : { file: place.file, line: place.line }),
  };
}

/** One answer is made at a time: with thousands of programs, it takes tens of megabytes before it is a text. */
const lane = new Lane(1);

async function readConfig({ context: { api }, exchange, query }: ApiCall<ConfigQuery, null>): Promise<ConfigAnswer> {
  const { names, all = false } = query;
  const wanted = names === undefined ? null : new Set(chooseProcesses(api, names).map(displayNameOf));
  const { file, included, sections } = api.effectiveConfig();
  const answers: SectionAnswer[] = [];
  for (const { section, process: name, options } of sections) {
    if (wanted !== null && (name === null || !wanted.has(name))) continue;
    answers.push({ section, ...(name === null ? {} : { process: name }), options: options(all).map(optionAnswer) });
    if (answers.length % SECTIONS_PER_TURN !== 0) continue;
    await new Promise((resolve) => setImmediate(resolve));
    exchange.signal.throwIfAborted();
  }
  return { file, included, sections: answers };
}

/** The rows. */
export const configRows: readonly ApiRow[] = [
  defineRow<ConfigQuery, null, ConfigAnswer>({
    method: 'GET',
    path: '/config',
    role: 'read',
    summary: 'Effective configuration with file and line of each option; secrets are hidden',
    query: {
      names: maybe(namesParameter),
      all: maybe(truth('Also options that are at their default')),
    },
    answer: configSchema,
    run: (call) => lane.run(() => readConfig(call), call.exchange.signal),
  }),
];
