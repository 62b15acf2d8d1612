/** The start of the dashboard in the browser. */
import { effect } from '@preact/signals';
import { render } from 'preact';
import { App, title } from './app.tsx';
import { listenToKeys } from './keyboard.ts';
import { parseRoute, route } from './routes.ts';
import { startSession } from './session.ts';
import { applySettings } from './settings.ts';

applySettings();
const readRoute = (): void => {
  route.value = parseRoute(location.hash);
};
readRoute();
window.addEventListener('hashchange', () => {
  readRoute();
  window.scrollTo(0, 0);
});
effect(() => {
  document.title = title.value;
});
listenToKeys();
startSession();
const root = document.querySelector('#app');
if (root !== null) render(<App />, root);
