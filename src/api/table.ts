/** The table of the JSON API. */
import { changeRows } from './change-rows.ts';
import { configRows } from './config-rows.ts';
import { groupRows } from './group-rows.ts';
import { liveRows } from './live-rows.ts';
import { logRows } from './log-rows.ts';
import { openApiDocument } from './openapi.ts';
import { readRows } from './read-rows.ts';
import { type ApiRow, defineRow } from './row.ts';
import { anything } from './schema.ts';

/** The rows of the API itself. */
const apiRows: readonly ApiRow[] = [...readRows, ...logRows, ...liveRows, ...changeRows, ...groupRows, ...configRows];

/** Makes the whole table: the rows of the API itself, further rows, and the document that describes all of them. */
export function createTable(more: readonly ApiRow[] = []): readonly ApiRow[] {
  const document = defineRow<object, null, unknown>({
    method: 'GET',
    path: '/openapi.json',
    role: 'read',
    summary: 'This document: the OpenAPI 3.1 description of the API',
    answer: anything,
    run: ({ context }) => openApiDocument(table, context.version),
  });
  const table: readonly ApiRow[] = [document, ...apiRows, ...more];
  return table;
}
