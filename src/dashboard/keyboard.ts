/** Carries out the keys of the page on the focused row, or on the program that is shown. */
import { askRestart, askStop, menu, start, type Target } from './actions.ts';
import { isHelpShown, isPaletteShown } from './dialogs.tsx';
import { commandOf, type KeyCommand, moveRow } from './keys.ts';
import { toggleFold } from './overview.tsx';
import { startOrStop, targetOf } from './process-row.tsx';
import { logsHref, programHref, route } from './routes.ts';
import { choice, filter, selected, toggleSelected } from './selection.ts';
import { canAct, store } from './session.ts';

/** The focused process or group. */
interface Focus {
  readonly name: string | null;
  readonly group: string | null;
}

function focusOf(): Focus {
  const row = document.activeElement?.closest<HTMLElement>('[data-name], [data-group]');
  const shown = route.value;
  const viewed = shown.view === 'program' ? shown.name : null;
  const name = row?.dataset['name'] ?? null;
  const group = row?.dataset['group'] ?? null;
  return { name: name ?? (group === null ? viewed : null), group };
}

/** Returns the target of the focused row. */
export function focusedTarget(): Target | null {
  const { name, group } = focusOf();
  if (name !== null) return targetOf(name);
  if (group === null) return null;
  const count = store.entries.value.filter((entry) => entry.group === group).length;
  return { names: [`${group}:*`], label: `${group} (${count})`, count };
}

/** Listens to the keys of the page. The log viewer has keys of its own, and takes them first. */
export function listenToKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || document.querySelector('dialog[open]') !== null) return;
    const { target } = event;
    const isTyping =
      target instanceof HTMLElement &&
      (target.isContentEditable || target.matches('textarea, select, input:not([type=checkbox])'));
    const command = commandOf(event, isTyping);
    if (command !== null && carryOut(command)) event.preventDefault();
  });
}

/** Carries out a command. Returns false if it has no meaning here. */
export function carryOut(command: KeyCommand): boolean {
  switch (command) {
    case 'next':
    case 'previous':
    case 'first':
    case 'last':
      return focusRow(command);
    case 'filter':
      return focusFilter();
    case 'palette':
      isPaletteShown.value = true;
      return true;
    case 'help':
      isHelpShown.value = true;
      return true;
    case 'back':
      return goBack();
    default:
      return actOnFocus(command, focusOf());
  }
}

function focusRow(command: KeyCommand): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  if (rows.length === 0) return false;
  const from = rows.findIndex(
    (row) => row === document.activeElement?.closest('[data-name], [data-group]')?.querySelector('[data-row]'),
  );
  rows[moveRow(command, from, rows.length)]?.focus();
  return true;
}

function focusFilter(): boolean {
  const field = document.querySelector<HTMLInputElement>('main input[type=search]');
  field?.select();
  field?.focus();
  return field !== null;
}

/** Goes back to the overview. There, undoes one thing at a time: the filter, the choice, the selection. */
function goBack(): boolean {
  const { activeElement } = document;
  const isInField = activeElement instanceof HTMLInputElement && activeElement.type === 'search';
  if (route.value.view !== 'overview') {
    if (isInField) activeElement.blur();
    else location.hash = '#/';
  } else if (filter.value !== '') filter.value = '';
  else if (isInField) activeElement.blur();
  else if (choice.value !== 'all') choice.value = 'all';
  else if (selected.value.size > 0) selected.value = new Set();
  else return false;
  return true;
}

function actOnFocus(command: KeyCommand, { name, group }: Focus): boolean {
  const target = focusedTarget();
  if (target === null) return false;
  const entry = name === null ? undefined : store.find(name);
  switch (command) {
    case 'open':
      if (name === null) return false;
      location.hash = programHref(name);
      return true;
    case 'logs':
      location.hash = logsHref(target.names);
      return true;
    case 'fold': {
      const folding = group ?? entry?.group;
      if (folding === undefined) return false;
      toggleFold(folding);
      return true;
    }
    case 'select':
      if (canAct.value)
        toggleSelected(
          store.entries.value.filter((one) => one.name === name || one.group === group).map((one) => one.name),
        );
      return true;
    case 'start':
      start(target);
      return true;
    case 'stop':
      if (entry === undefined) askStop(target);
      else startOrStop(entry);
      return true;
    case 'restart':
      askRestart(target);
      return true;
    case 'menu':
      if (canAct.value && name !== null) menu.value = target;
      return true;
    default:
      return false;
  }
}
