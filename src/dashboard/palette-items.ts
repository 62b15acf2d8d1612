/** The commands and programs that the palette finds. */
import { askRestart, askStop, askSupervisor, start } from './actions.ts';
import { logsHref, programHref } from './routes.ts';
import { canAct, hostName, store } from './session.ts';
import { switchLanguage, switchTheme } from './settings.ts';
import { t } from './texts.ts';

/** A command with its words. */
export interface PaletteItem {
  readonly text: string;
  readonly run: () => void;
}

function go(text: string, href: string): PaletteItem {
  return { text, run: () => void (location.hash = href) };
}

/** Returns the commands, and those of each program. */
export function paletteItems(): PaletteItem[] {
  const all = { names: ['*'], label: t('act.all'), count: store.entries.value.length };
  const perProgram = store.entries.value.flatMap(({ name }): PaletteItem[] => {
    const target = { names: [name], label: name, count: 1 };
    return [
      go(name, programHref(name)),
      go(t('act.logs.of', { name }), logsHref([name])),
      ...(canAct.value
        ? [
            { text: t('act.restart.of', { name }), run: () => askRestart(target) },
            { text: t('act.stop.of', { name }), run: () => askStop(target) },
            { text: t('act.start.of', { name }), run: () => start(target) },
          ]
        : []),
    ];
  });
  return [
    go(t('nav.overview'), '#/'),
    go(t('nav.logs'), logsHref(['*'])),
    go(t('nav.graph'), '#/graph'),
    go(t('nav.config'), '#/config'),
    { text: t('app.theme.auto').split(/[:：]/)[0] ?? '', run: switchTheme },
    { text: t('app.language'), run: switchLanguage },
    ...(canAct.value
      ? [
          { text: t('act.restart.of', { name: all.label }), run: () => askRestart(all) },
          { text: t('act.stop.of', { name: all.label }), run: () => askStop(all) },
          { text: t('act.start.of', { name: all.label }), run: () => start(all) },
          { text: t('act.reload'), run: () => askSupervisor('reload', hostName.value) },
          { text: t('act.shutdown'), run: () => askSupervisor('shutdown', hostName.value) },
        ]
      : []),
    ...perProgram,
  ];
}
