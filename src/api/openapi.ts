/** The OpenAPI 3.1 document of the API, made from its table. Pure. */
import { errorSchema, namedSchemas } from './answer-schemas.ts';
import { type ApiRow, JSON_TYPE } from './row.ts';
import type { JsonSchema, Schema } from './schema.ts';

/** Descriptions of the parameters in paths. */
const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  name: 'Name of a process, web or pool:pool_00, percent-encoded; for changes also pool:* and patterns',
  group: 'Name of a group',
  program: 'Name of a program, the x of [program:x]',
  id: 'Id of a change',
};

/** Statuses of errors of all rows, with their meanings. */
const ERRORS: Readonly<Record<number, string>> = {
  400: 'A parameter or the body is wrong',
  401: 'User name and password are missing or wrong',
  403: 'The role of the client is too low, or a header is missing',
  404: 'There is no object of that name',
  503: 'The supervisor is ending, or too many clients wait; see Retry-After',
};

/** Further errors of rows that change something. */
const CHANGE_ERRORS: Readonly<Record<number, string>> = {
  409: 'The object is in a state that does not allow this, or the configuration is invalid',
  413: 'The body is too large',
  415: 'The content type is not application/json, or the body is compressed',
  429: 'Too many changes are running; see Retry-After',
};

/** Makes the document. `version` is our own version. */
export function openApiDocument(rows: readonly ApiRow[], version: string): JsonSchema {
  const paths = new Map<string, Record<string, JsonSchema>>();
  for (const row of rows) {
    const operations = paths.get(row.path) ?? {};
    operations[row.method.toLowerCase()] = operationOf(row);
    paths.set(row.path, operations);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'onevisor',
      version,
      description:
        'The JSON API of onevisor. Every POST needs the header X-Onevisor with any value, and the content type ' +
        'application/json. Unknown parameters and members are errors.',
    },
    servers: [{ url: '.', description: 'The folder of this document: /api/v1' }],
    security: [{ basic: [] }, {}],
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
      schemas: Object.fromEntries(namedSchemas.map(({ name, definition }) => [name, definition])),
    },
  };
}

function operationOf(row: ApiRow): JsonSchema {
  const { method, path, role, summary, body } = row;
  const isChange = method === 'POST';
  const errors = Object.entries({ ...ERRORS, ...(isChange ? CHANGE_ERRORS : {}) });
  return {
    operationId: operationId(method, path),
    summary,
    description: `Needs the role ${role}.`,
    'x-role': role,
    parameters: [...pathParameters(path), ...queryParameters(row), ...(isChange ? [CHANGE_HEADER] : [])],
    ...(body === null ? {} : { requestBody: { required: true, content: { [JSON_TYPE]: { schema: body.json } } } }),
    responses: {
      ...answersOf(row),
      ...Object.fromEntries(
        errors.map(([status, description]) => [
          status,
          { description, content: { [JSON_TYPE]: { schema: errorSchema.json } } },
        ]),
      ),
    },
  };
}

/** Makes a name for clients that are generated: `postProcessesByNameStart`. */
function operationId(method: string, path: string): string {
  const words = path
    .split(/[/.-]/)
    .filter((word) => word !== '')
    .map((word) => (word.startsWith('{') ? `By${capitalize(word.slice(1, -1))}` : capitalize(word)));
  return method.toLowerCase() + words.join('');
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

const CHANGE_HEADER: JsonSchema = {
  name: 'X-Onevisor',
  in: 'header',
  required: true,
  schema: { type: 'string', minLength: 1 },
  description: 'Any value; browsers do not send it for forms and links of other sites',
};

function pathParameters(path: string): JsonSchema[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
    ...(PATH_PARAMETERS[name] === undefined ? {} : { description: PATH_PARAMETERS[name] }),
  }));
}

function queryParameters({ query }: ApiRow): JsonSchema[] {
  return Object.entries(query).map(([name, parameter]) => {
    const isOptional = 'isOptional' in parameter;
    const { json }: Schema<unknown> = 'isOptional' in parameter ? parameter.schema : parameter;
    const { description, ...schema } = json;
    return {
      name,
      in: 'query',
      required: !isOptional,
      schema,
      ...(description === undefined ? {} : { description }),
      ...(schema['type'] === 'array' ? { style: 'form', explode: true } : {}),
    };
  });
}

function answersOf({ answer, otherAnswer, type, statusOf, method, body }: ApiRow): JsonSchema {
  const content = (schema: JsonSchema): JsonSchema => ({ [type]: { schema } });
  const first = answer === null ? content({ type: 'string' }) : content(answer.json);
  const status = otherAnswer === null && body === null ? statusOf(null) : statusOf({});
  const description = method === 'POST' ? 'The change, which runs on its own' : 'The answer';
  return {
    [status]: { description, content: first },
    ...(otherAnswer === null ? {} : { 200: { description: 'The answer', content: content(otherAnswer.json) } }),
  };
}
