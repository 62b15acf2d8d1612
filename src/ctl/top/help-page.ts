/** The page that `?` shows. Pure data. */

/** Lines of at most 78 columns. */
export const HELP_LINES: readonly string[] = [
  'Move       j k ↓ ↑   one line              Ctrl-D Ctrl-U  half a page',
  '           g G       first, last line      PgDn PgUp      a page',
  'See        /         filter by text        Esc   undo: filter, pane',
  '           Enter l   logs                  d     description',
  '           ← →       fold, unfold group    z     fold, unfold all groups',
  '           Tab       table or pane         Space pause, go on',
  '           y         copy the name         Ctrl-L draw again',
  '           :         find a command or a program by its words',
  'Sort       N name  T state  Y ready  R restarts  U uptime',
  '           C cpu  M memory  P pid  W why         again: the other way',
  'Act        S         start                 s     stop; kill what is stopping',
  '           r         restart, also one after the other (group)',
  '           x         send a signal         All but S ask first.',
  'In a log   /         only lines with text  t     times',
  '           f         full screen           w     wrap long lines',
  '           Space     hold, follow          G     newest line, follow',
  '           0 1       newest, oldest lines  2 to 6  last 1m 5m 15m 30m 1h',
  '           m         mark the end          o     all lines in $PAGER',
  '           y         copy what is shown    c     copy all lines',
  'Leave      q Ctrl-C  quit                  Ctrl-Z suspend',
];
