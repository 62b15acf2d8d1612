/** The dialogs: questions before actions, the menu of a program, the keys, and the palette. */
import { type Signal, signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { askScale, menu, notice, performOn, question, sendLine, SIGNALS } from './actions.ts';
import { Icon } from './icons.tsx';
import { searchItems } from './keys.ts';
import { LOG_KEYS } from './logs/log-keys.ts';
import { paletteItems, type PaletteItem } from './palette-items.ts';
import { type Route, route } from './routes.ts';
import { t, type TextKey } from './texts.ts';

export const isHelpShown = signal(false);
export const isPaletteShown = signal(false);

/** Name of a program that needs no question, and its signals that end it. */
const HARMFUL: ReadonlySet<string> = new Set(['INT', 'TERM', 'QUIT', 'STOP', 'KILL']);

interface DialogProps {
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly role?: 'alertdialog';
}

/**
 * A modal dialog. The browser keeps the focus in it, and gives it back afterwards. It opens before the next key is
 * handled: a key that was meant for the dialog must not act on the row behind it.
 */
function Dialog({ label, onClose, children, role }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = ref.current;
    const opener = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      role={role}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="sheet">{children}</div>
    </dialog>
  );
}

/** All dialogs that are open. */
export function Dialogs() {
  return (
    <>
      {menu.value !== null && <Menu name={menu.value.label} />}
      {isHelpShown.value && <Help />}
      {isPaletteShown.value && <Palette />}
      {question.value !== null && <Confirmation key={question.value.title} />}
      <Notice />
    </>
  );
}

function Confirmation() {
  const asked = question.value;
  if (asked === null) return null;
  const close = (): void => void (question.value = null);
  return (
    <Dialog label={asked.title} role="alertdialog" onClose={close}>
      <h2>{asked.title}</h2>
      {asked.names.length > 0 && <p class="names">{asked.names.join(', ')}</p>}
      <div class="answers">
        {/* The first button has the focus. */}
        <button type="button" onClick={close}>
          {t('app.cancel')}
        </button>
        {asked.answers.map(({ label, isHarmful, run }) => (
          <button
            key={label}
            type="button"
            class={isHarmful ? 'harmful' : 'primary'}
            onClick={() => {
              close();
              run();
            }}
          >
            {label}
          </button>
        ))}
      </div>
    </Dialog>
  );
}

/** Further actions on one process. Signals that end it are asked for. */
function Menu({ name }: { readonly name: string }) {
  const close = (): void => void (menu.value = null);
  const act = (verb: string, signalName?: string): void => {
    close();
    const body = signalName === undefined ? {} : { signal: signalName };
    const run = (): void => performOn(name, verb, body);
    if (signalName !== undefined && !HARMFUL.has(signalName)) return run();
    if (verb === 'reload') return run();
    const title =
      signalName === undefined ? t('ask.clearLogs', { name }) : t('ask.signal', { name, signal: signalName });
    question.value = {
      title,
      names: [],
      answers: [{ label: signalName ?? t('act.clearLogs'), isHarmful: true, run }],
    };
    return undefined;
  };
  return (
    <Dialog label={t('act.more.of', { name })} onClose={close}>
      <Head title={name} onClose={close} />
      <div class="choices">
        <button type="button" onClick={() => act('reload')}>
          {t('act.programReload')}
        </button>
        <button type="button" onClick={() => act('clear-logs')}>
          {t('act.clearLogs')}
        </button>
      </div>
      <h3>{t('act.signal')}</h3>
      <div class="choices">
        {SIGNALS.map((signalName) => (
          <button key={signalName} type="button" onClick={() => act('signal', signalName)}>
            {signalName}
          </button>
        ))}
      </div>
      <Entry label={t('act.stdin')} button={t('act.send')} onEnter={(text) => (close(), sendLine(name, text))} />
      <Entry
        label={t('act.count')}
        button={t('act.scale')}
        isNumber
        onEnter={(count) => (close(), void askScale(name, Number(count)))}
      />
    </Dialog>
  );
}

interface EntryProps {
  readonly label: string;
  readonly button: string;
  readonly isNumber?: boolean;
  readonly onEnter: (text: string) => void;
}

/** A field with a button. */
function Entry({ label, button, isNumber, onEnter }: EntryProps) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <form
      class="choices"
      onSubmit={(event) => {
        event.preventDefault();
        onEnter(field.current?.value ?? '');
      }}
    >
      <input
        ref={field}
        type="text"
        pattern={isNumber === true ? '[1-9][0-9]*' : undefined}
        required={isNumber}
        aria-label={label}
        placeholder={label}
      />
      <button type="submit">{button}</button>
    </form>
  );
}

function Head({ title, onClose }: { readonly title: string; readonly onClose: () => void }) {
  return (
    <header>
      <h2>{title}</h2>
      <button type="button" class="quiet" aria-label={t('app.close')} onClick={onClose}>
        <Icon name="close" />
      </button>
    </header>
  );
}

const HELP = [
  ['j k ↓ ↑', 'help.move'],
  ['g G', 'help.ends'],
  ['Enter d', 'help.open'],
  ['l', 'help.logs'],
  ['S', 'help.start'],
  ['s', 'help.stop'],
  ['r', 'help.restart'],
  ['x', 'help.menu'],
  ['v', 'help.select'],
  ['z', 'help.fold'],
  ['/', 'help.filter'],
  [': Ctrl-K', 'help.palette'],
  ['Esc', 'help.back'],
  ['?', 'help.help'],
] as const;

/** Returns the keys of a view. The log view has keys of its own. */
function helpOf(view: Route['view']): ReadonlyArray<readonly [keys: string, text: TextKey]> {
  return view === 'logs' ? [...LOG_KEYS, ...HELP.filter(([keys]) => keys === ': Ctrl-K' || keys === '?')] : HELP;
}

function Help() {
  const close = (): void => void (isHelpShown.value = false);
  return (
    <Dialog label={t('help.title')} onClose={close}>
      <Head title={t('help.title')} onClose={close} />
      <dl class="keys">
        {helpOf(route.value.view).map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

/** Most items that the palette shows. */
const MAX_ITEMS = 12;

function Palette() {
  const search = useMemo(() => signal(''), []);
  const index = useMemo(() => signal(0), []);
  const items = useMemo(() => paletteItems(), []);
  const close = (): void => void (isPaletteShown.value = false);
  const found = searchItems(items, ({ text }) => text, search.value).slice(0, MAX_ITEMS);
  const chosen = Math.min(index.value, found.length - 1);
  const run = (item: PaletteItem | undefined): void => {
    if (item === undefined) return;
    close();
    item.run();
  };
  return (
    <Dialog label={t('app.palette')} onClose={close}>
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette"
        aria-autocomplete="list"
        aria-activedescendant={found.length === 0 ? undefined : `palette-${chosen}`}
        aria-label={t('app.palette')}
        placeholder={t('app.palette')}
        value={search}
        onInput={({ currentTarget }) => {
          search.value = currentTarget.value;
          index.value = 0;
        }}
        onKeyDown={(event) =>
          onPaletteKey(event, {
            index,
            chosen,
            count: found.length,
            run: () => run(found[chosen]),
          })
        }
      />
      <ul id="palette" role="listbox" aria-label={t('app.palette')}>
        {found.map((item, position) => (
          // The keys of the field move the choice.
          <li
            key={item.text}
            id={`palette-${position}`}
            role="option"
            aria-selected={position === chosen}
            onClick={() => run(item)}
          >
            {item.text}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

interface PaletteState {
  readonly index: Signal<number>;
  readonly chosen: number;
  readonly count: number;
  readonly run: () => void;
}

function onPaletteKey(event: KeyboardEvent, { index, chosen, count, run }: PaletteState): void {
  if (event.key === 'ArrowDown') index.value = Math.min(chosen + 1, count - 1);
  else if (event.key === 'ArrowUp') index.value = Math.max(chosen - 1, 0);
  else if (event.key === 'Enter') run();
  else return;
  event.preventDefault();
}

/** The result of the latest action, in a place that screen readers announce. */
function Notice() {
  const shown = notice.value;
  return (
    <div class="notice" role="status">
      {shown !== null && (
        <p class={`tone ${shown.tone}`}>
          <span>{shown.text}</span>
          <button type="button" class="quiet" aria-label={t('app.close')} onClick={() => (notice.value = null)}>
            <Icon name="close" />
          </button>
        </p>
      )}
    </div>
  );
}
