/**
 * The tasks of the main thread of a page, in processor time: a busy machine makes tasks longer by the clock, but not in
 * processor time.
 */
import type { Page } from 'playwright-core';

/** A task of the main thread. */
interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly ph: string;
  readonly tid: number;
  readonly pid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Tasks in milliseconds, the longest first. */
export interface MainThreadTasks {
  /** Processor time of each task of at least a millisecond. */
  readonly cpu: readonly number[];
  /** Processor time of all tasks together. */
  readonly total: number;
}

/** Records the tasks of a page while something happens. */
export async function recordTasks(page: Page, run: () => Promise<void>): Promise<MainThreadTasks> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const completed = new Promise<void>((resolve) => {
    session.once('Tracing.tracingComplete', () => resolve());
  });
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', '__metadata'], excludedCategories: ['*'] },
  });
  await run();
  await session.send('Tracing.end');
  await completed;
  await session.detach();
  const threads = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const cpu = events
    .filter(({ name, pid, tid }) => name.endsWith('RunTask') && threads.has(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => tdur / 1000);
  const total = cpu.reduce((sum, one) => sum + one, 0);
  return { cpu: cpu.filter((one) => one >= 1).sort((one, other) => other - one), total };
}
