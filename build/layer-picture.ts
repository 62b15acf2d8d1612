/**
 * The table of allowed imports for src/ARCHITECTURE.md, drawn from build/layers.ts.
 */
import { LAYERS } from './layers.ts';

type Permission = '●' | '○' | '(●)' | '';

/** Draws the table: a row for each room, a column for each room that another one imports from. */
export function drawLayers(): string {
  const rooms = Object.keys(LAYERS);
  const columns = rooms.filter((target) => rooms.some((room) => room !== target && permission(room, target) !== ''));
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(['', ...columns.map(nameOf)]),
    row(['---', ...columns.map(() => ':-:')]),
    ...rooms.map((room) => row([`**${nameOf(room)}**`, ...columns.map((target) => permission(room, target))])),
    '',
    '(●): only the files that `build/layers.ts` names.',
  ].join('\n');
}

function permission(room: string, target: string): Permission {
  const layer = LAYERS[room];
  if (layer === undefined || room === target) return '';
  if (layer.may.includes(target)) return '●';
  const named = [...layer.may, ...Object.values(layer.only ?? {}).flat()];
  if (named.some((path) => path.startsWith(target))) return '(●)';
  return (layer.types ?? []).some((path) => path.startsWith(target)) ? '○' : '';
}

function nameOf(room: string): string {
  return room.replace(/\/$|\.ts$/, '');
}
