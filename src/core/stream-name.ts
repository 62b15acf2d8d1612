/** The output streams of a process. */
export const STREAM_NAMES = ['stdout', 'stderr'] as const;

/** Name of an output stream of a process. */
export type StreamName = (typeof STREAM_NAMES)[number];
