/**
 * Delivers one alert by the way that its section names: a command or a request. One attempt; receiver.ts repeats it.
 * Files with secrets are read for each attempt, so that a new secret needs no reload.
 */
import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { parseHeaders } from '../core/alert-headers.ts';
import { parseWebUrl } from '../core/web-url.ts';
import { type Alert, alertVariables, formatAlertJson } from '../core/alert.ts';
import type { AlertFailure } from '../core/alert-queue.ts';
import { errnoOf } from '../core/error-text.ts';
import { renderAlert } from '../core/alert-template.ts';
import type { NotifyConfig } from '../config/model.ts';
import type { Clock, Jobs } from '../engine/ports.ts';
import { pathProbe } from '../files/path-probe.ts';
import { FileError, readRegularFile } from '../files/read-file.ts';
import { readAuthorities } from '../files/authorities.ts';
import { describeJob, describeTimeout } from '../health/reasons.ts';
import { type Delivered, post } from './post.ts';

const SECOND_MS = 1000;
/** Limit for a file with a URL or headers. */
const MAX_SECRET_BYTES = 64 * 1024;

/** Parts that deliveries need. */
export interface DeliveryParts {
  readonly clock: Clock;
  readonly jobs: Jobs;
  readonly lookup: LookupFunction;
}

/** An attempt to deliver an alert. `name` is that of the job, of which one runs at a time. */
export interface Attempt {
  readonly section: NotifyConfig;
  readonly alert: Alert;
  readonly name: 'notification' | 'test';
}

/** Outcome of an attempt that was cancelled. */
const CANCELLED: AlertFailure = { reason: 'cancelled', isFinal: true, pauseMs: null };

/** Reason why a request cannot be made. Has no secret in it. */
class RequestError extends Error {}

/** Starts an attempt. Calls `delivered` later, once. Returns the function that cancels the attempt. */
export function deliver(attempt: Attempt, parts: DeliveryParts, delivered: Delivered): () => void {
  const { command } = attempt.section.options;
  return command === null ? send(attempt, parts, delivered) : run(command, attempt, parts, delivered);
}

function run(
  command: string,
  { section, alert, name }: Attempt,
  parts: DeliveryParts,
  delivered: Delivered,
): () => void {
  const timeoutMs = section.options.timeout * SECOND_MS;
  const { process_name: proc, group_name: group } = alert;
  const source = proc === null || group === null ? [] : Object.entries({ PROCESS: proc, GROUP: group });
  return parts.jobs.run(
    section.runner,
    {
      name,
      command,
      timeoutMs,
      environment: new Map([
        ...source.map(([kind, text]) => [`SUPERVISOR_${kind}_NAME`, text] as const),
        ...alertVariables(alert),
      ]),
      input: `${formatAlertJson(alert)}\n`,
      output: 'keep',
    },
    (outcome) => {
      const reason = outcome.kind === 'cancelled' ? 'cancelled' : describeJob(outcome, timeoutMs);
      delivered(reason === null ? null : { reason, isFinal: outcome.kind === 'cancelled', pauseMs: null });
    },
  );
}

/** Sends a request, once its files can be reached. */
function send(attempt: Attempt, parts: DeliveryParts, delivered: Delivered): () => void {
  const { url_file: url, header_file: header, ca_file: ca } = attempt.section.options;
  let isCancelled = false;
  const end = pathProbe.whenReached(
    () => [url, header, ca].filter((file) => file !== null),
    () => request(attempt, parts, delivered),
    (reason) => delivered(isCancelled ? CANCELLED : retried(reason)),
  );
  return () => {
    isCancelled = true;
    end();
  };
}

function request({ section, alert }: Attempt, parts: DeliveryParts, delivered: Delivered): () => void {
  const { clock, lookup } = parts;
  const { template, timeout } = section.options;
  const timeoutMs = timeout * SECOND_MS;
  let cancelTimeout = (): void => undefined;
  try {
    const body = template === null ? formatAlertJson(alert) : renderAlert(template, alert);
    const end = post({ ...readTarget(section), body, lookup }, (failure) => {
      cancelTimeout();
      delivered(failure);
    });
    cancelTimeout = clock.alarm(clock.nowMs() + timeoutMs, () => end(retried(describeTimeout(timeoutMs))));
    return () => end(CANCELLED);
  } catch (error) {
    const reason = explain(error);
    if (reason === null) throw error;
    queueMicrotask(() => delivered(retried(reason)));
    return () => undefined;
  }
}

/** Explains why a request cannot be made; null for a bug of ours. The messages of Node may repeat a secret. */
function explain(error: unknown): string | null {
  if (error instanceof RequestError) return error.message;
  const code = errnoOf(error);
  return code === null ? null : `the request cannot be made (${code})`;
}

function retried(reason: string): AlertFailure {
  return { reason, isFinal: false, pauseMs: null };
}

/** Reads the parts of a request that may be in files. Throws a {@link RequestError}. */
function readTarget({ options }: NotifyConfig): {
  readonly url: URL;
  readonly headers: ReadonlyMap<string, string>;
  readonly authorities: SecureContext | null;
} {
  const { url_file: urlFile, header_file: headerFile, ca_file: caFile } = options;
  const url = urlFile === null ? options.url : parseWebUrl(readSecret('url_file', urlFile).trim());
  if (url === null) throw new RequestError(`url_file ${urlFile ?? ''} has no URL with http or https`);
  const lines = headerFile === null ? new Map<string, string>() : parseHeaders(readSecret('header_file', headerFile));
  if (lines === null)
    throw new RequestError(`header_file ${headerFile ?? ''} has a line that is no header (Name: value)`);
  const authorities = caFile === null ? null : readAuthorities([caFile]);
  if (caFile !== null && authorities === null)
    throw new RequestError(`ca_file ${caFile} has no certificates, or cannot be read`);
  return { url, headers: new Map([...(options.headers ?? []), ...lines]), authorities };
}

function readSecret(option: string, path: string): string {
  try {
    return readRegularFile(path, MAX_SECRET_BYTES).toString('utf8');
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new RequestError(`cannot read ${option} ${path}: ${error.message}`);
  }
}
