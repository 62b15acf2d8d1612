/**
 * The schemas of all answers. The compiler holds them to types.ts, and tests hold them to the answers of a supervisor:
 * no schema allows members that it does not name.
 */
import { ROLES } from '../core/role.ts';
import { SupervisorState, type SupervisorStateName } from '../core/states.ts';
import {
  causeSchema,
  descriptionSchema,
  endSchema,
  health,
  hold,
  lastEndSchema,
  names,
  processesSchema,
  processState,
  runEndSchema,
  runSchema,
  runsSchema,
  statusSchema,
  usageSchema,
  wallMs,
} from './process-schemas.ts';
import {
  constant,
  dictionary,
  either,
  integer,
  list,
  maybe,
  type NamedSchema,
  named,
  nullable,
  object,
  oneOf,
  type Schema,
  text,
  truth,
} from './schema.ts';
import type * as Api from './types.ts';

const supervisorState = oneOf(Object.keys(SupervisorState) as SupervisorStateName[]);

/** Body of an error. */
export const errorSchema = named(
  'Error',
  object<Api.ApiErrorBody>({
    error: object<Api.ApiErrorBody['error']>({
      code: text({ help: 'For programs; does not change' }),
      message: text({ help: 'For people' }),
    }),
  }),
);

export const versionSchema = named(
  'Version',
  object<Api.VersionAnswer>({
    onevisor: text(),
    supervisor: text({ help: 'Version of Supervisor that this is compatible with' }),
    api: constant(1),
    epoch: text({ help: 'Changes with each start of a supervisor; numbers of another epoch mean nothing' }),
    identifier: text(),
    host: text(),
    pid: integer(),
    state: supervisorState,
    role: oneOf(ROLES),
    user: nullable(text()),
    now: wallMs,
  }),
);

export const healthSchema = named(
  'Health',
  object<Api.HealthAnswer>({ ready: truth(), alive: truth(), problems: names }),
);

export const groupsSchema = named(
  'Groups',
  object<Api.GroupsAnswer>({
    groups: list(object<Api.GroupsAnswer['groups'][number]>({ name: text(), priority: integer(), processes: names })),
  }),
);

const eventKind = oneOf(['supervisor', 'request', 'group', 'state', 'ready', 'health', 'held', 'reload']);
const eventMembers = {
  seq: integer(),
  at: wallMs,
  name: maybe(text()),
  change: maybe(text()),
  group: maybe(text()),
  cause: maybe(either<string | Api.CauseAnswer>([text(), causeSchema])),
  target: maybe(text()),
  method: maybe(text()),
  door: maybe(text()),
  peer: maybe(text()),
  user: maybe(text()),
  text: maybe(text()),
  from: maybe(processState),
  to: maybe(processState),
  run: maybe(integer()),
  pid: maybe(integer()),
  end: maybe(endSchema),
  health: maybe(health),
  reason: maybe(text()),
  hold: maybe(hold),
  way: maybe(text()),
  signal: maybe(text()),
  failure: maybe(text()),
};

export const eventSchema = named('Event', object<Api.EventAnswer>({ ...eventMembers, kind: eventKind }));

export const eventsSchema = named(
  'Events',
  object<Api.EventsAnswer>({
    epoch: text(),
    events: list(eventSchema),
    complete: truth('False if older events after that number are no longer kept'),
    next: integer({ help: 'The next value of after' }),
  }),
);

export const lineSchema = named(
  'Line',
  object<Api.LineAnswer>({
    seq: integer(),
    at: wallMs,
    name: text(),
    stream: oneOf(['stdout', 'stderr', 'supervisor']),
    pid: integer(),
    text: text({ help: 'A byte that is not UTF-8 is a lone surrogate U+DC80 to U+DCFF' }),
    partial: maybe(constant(true)),
    rest: maybe(constant(true)),
  }),
);

export const lineEventSchema = named(
  'LineEvent',
  object<Api.LineEventAnswer>({ ...eventMembers, event: eventKind, text: text() }),
);

export const logsSchema = named(
  'Logs',
  object<Api.LogsAnswer>({
    epoch: text(),
    next: integer({ help: 'The next value of after' }),
    more: truth('True if a limit left out lines'),
    lines: list(either<Api.LineAnswer | Api.LineEventAnswer>([lineSchema, lineEventSchema])),
    missed: list(object<Api.LogsAnswer['missed'][number]>({ name: text(), stream: text(), bytes: integer() })),
    earlier: maybe(integer({ help: 'The next value of before, if earlier lines were not searched' })),
  }),
);

const resultSchema = named(
  'Result',
  object<Api.ChangeResult>({ name: text(), ok: truth(), text: text({ help: 'The words of supervisorctl' }) }),
);

export const changeSchema = named(
  'Change',
  object<Api.ChangeAnswer>({
    id: text(),
    action: text(),
    names,
    by: text({ help: 'The client' }),
    at: wallMs,
    status: oneOf(['running', 'done', 'failed']),
    ended: maybe(wallMs),
    results: list(resultSchema),
    capped: maybe(constant(true)),
    error: maybe(text()),
  }),
);

export const changesSchema = named('Changes', object<Api.ChangesAnswer>({ changes: list(changeSchema) }));

const groupChanges = { added: names, changed: names, removed: names };

export const pendingSchema = named(
  'Pending',
  object<Api.PendingAnswer>({
    ...groupChanges,
    plans: dictionary(
      nullable(object<Api.GroupPlanAnswer>({ stopped: names, restarted: names, started: names, changed: names })),
    ),
    settings: object<Api.PendingAnswer['settings']>({ live: names, pending: names }),
    notifications: object<Api.PendingAnswer['notifications']>(groupChanges),
    text: list(text(), { help: 'The lines of onevisor update --dry-run' }),
  }),
);

/** A value of any type in the configuration. */
const optionValue: Schema<Api.OptionValue> = { json: {}, check: (value) => value as Api.OptionValue };

const optionSchema = named(
  'Option',
  object<Api.OptionAnswer>({
    name: text(),
    value: optionValue,
    set: truth('False for a default and for an inherited value'),
    file: maybe(text({ help: 'The file, or the name of a variable or a flag' })),
    line: maybe(integer({ help: '0 for a value that is not from a file' })),
  }),
);

export const configSchema = named(
  'Config',
  object<Api.ConfigAnswer>({
    file: nullable(text()),
    included: names,
    sections: list(object<Api.SectionAnswer>({ section: text(), process: maybe(text()), options: list(optionSchema) })),
  }),
);

/** All schemas with a name, for the OpenAPI document. */
export const namedSchemas: ReadonlyArray<NamedSchema<unknown>> = [
  errorSchema,
  versionSchema,
  healthSchema,
  causeSchema,
  endSchema,
  lastEndSchema,
  runEndSchema,
  usageSchema,
  statusSchema,
  processesSchema,
  runSchema,
  runsSchema,
  descriptionSchema,
  groupsSchema,
  eventSchema,
  eventsSchema,
  lineSchema,
  lineEventSchema,
  logsSchema,
  resultSchema,
  changeSchema,
  changesSchema,
  pendingSchema,
  optionSchema,
  configSchema,
];
