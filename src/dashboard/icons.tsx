/** The icons of buttons. They are decoration: the button has a label. */

/** Shapes on a grid of 16. */
const SHAPES = {
  start: 'M4 2.5v11l9-5.5z',
  stop: 'M3.5 3.5h9v9h-9z',
  restart: 'M13 2v4H9l1.6-1.6A4.5 4.5 0 1 0 12.4 9H14a6 6 0 1 1-2.3-5.7z',
  more: 'M2 6.5h3v3H2zm4.5 0h3v3h-3zm4.5 0h3v3h-3z',
  logs: 'M2 3h12v1.6H2zm0 4.2h12v1.6H2zm0 4.2h8V13H2z',
  close: 'M3.2 4.3l1.1-1.1L8 6.9l3.7-3.7 1.1 1.1L9.1 8l3.7 3.7-1.1 1.1L8 9.1l-3.7 3.7-1.1-1.1L6.9 8z',
  fold: 'M3 5.5h10L8 11.5z',
  light: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 1.6v10.8A5.4 5.4 0 0 1 8 2.6z',
  power: 'M7.2 1h1.6v7H7.2zM4.6 2.6l1 1.3a5 5 0 1 0 4.8 0l1-1.3a6.6 6.6 0 1 1-6.8 0z',
  find: 'M7 2a5 5 0 1 0 3 9l3 3 1.1-1.1-3-3A5 5 0 0 0 7 2zm0 1.6a3.4 3.4 0 1 1 0 6.8 3.4 3.4 0 0 1 0-6.8z',
} as const;

/** Name of an icon. */
export type IconName = keyof typeof SHAPES;

/** Draws an icon in the colour of the text. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[name]} />
    </svg>
  );
}
