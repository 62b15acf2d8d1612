/**
 * The entry point of the client's piece of the executable: `supervisorctl`, `onevisor COMMAND` and `onevisor health`.
 * The loader chooses the piece by the command line alone. If the call turns out to be for another program, the whole
 * program runs in its place.
 */
import { endWith, prepareProcess, readCall } from './programs/call.ts';
import { runControl, runHealth } from './programs/ctl.ts';
import { currentLoader } from './startup/bundles.ts';

const call = readCall();
call.then(
  ({ program }) => {
    if (program === 'ctl' || program === 'health') endWith(run());
    else currentLoader()?.run('onevisor');
  },
  (error: unknown) => endWith(Promise.reject(error)),
);

async function run(): Promise<number> {
  const { program, args, io } = await call;
  await prepareProcess({ program, args, io });
  return program === 'health' ? runHealth(args, io) : runControl(args, io);
}
