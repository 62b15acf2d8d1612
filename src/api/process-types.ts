/**
 * The shapes of the JSON API about processes, types only. Facts come from the methods of rpc/. Times are milliseconds
 * since 1970 unless documented otherwise. A member without a value is left out.
 */
import type { StartWait } from '../core/start-wait.ts';
import type { ProcessStateName } from '../core/states.ts';

/** Health of a run, with Docker's words. */
export type HealthName = 'starting' | 'healthy' | 'unhealthy';

/** A stream of a program. */
export type ProgramStream = 'stdout' | 'stderr';

/** The cause of a start, a stop or an end. `text` is for people; the other members depend on the kind. */
export interface CauseAnswer {
  readonly kind:
    | 'boot'
    | 'request'
    | 'signal'
    | 'schedule'
    | 'connection'
    | 'dependency'
    | 'health'
    | 'memory'
    | 'watchdog'
    | 'file'
    | 'not_ready'
    | 'policy'
    | 'protocol'
    | 'shutdown';
  readonly text: string;
  /** Kind `request`: method of XML-RPC, the way of the client, its address, and its user name. */
  readonly method?: string;
  readonly door?: string;
  readonly peer?: string;
  readonly user?: string;
  /** Kind `signal`: the signal, the pid of its sender, and the signal that was sent on. */
  readonly signal?: string;
  readonly sender?: number;
  readonly sent_as?: string;
  /** Kind `dependency`: names of the dependencies, and the start that waited for them. */
  readonly names?: readonly string[];
  readonly request?: CauseAnswer;
  /** Kind `health`. */
  readonly reason?: string;
  /** Kind `memory`. */
  readonly bytes?: number;
  readonly limit?: number;
  /** Kinds `watchdog` and `not_ready`. */
  readonly limit_ms?: number;
  /** Kind `file`. */
  readonly path?: string;
  readonly others?: number;
  /** Kind `policy`. */
  readonly rule?: string;
  /** Kind `shutdown`. */
  readonly goal?: string;
  /** Kind `connection`. */
  readonly address?: string;
}

/** The end of a run. */
export interface EndAnswer {
  readonly outcome: 'exited' | 'signaled' | 'out_of_memory' | 'not_executed';
  /** Outcome `exited`. */
  readonly exit_code?: number;
  readonly expected?: boolean;
  /** Outcome `signaled`: name of the signal, and true for a core dump. */
  readonly exit_signal?: string;
  readonly core?: boolean;
  /** Outcome `not_executed`. */
  readonly reason?: string;
  /** Reason as in `onevisor_process_exits_total{reason}`. */
  readonly why: string;
  /** True for an end that somebody or a rule has asked for. */
  readonly planned: boolean;
  /** The outcome in words: `exit code 3`. */
  readonly how: string;
  /** The whole end in words. */
  readonly text: string;
  readonly cause?: CauseAnswer;
  /** A signal that was sent shortly before. */
  readonly sent_signal?: { readonly signal: string; readonly before_ms: number; readonly cause: CauseAnswer };
}

/** The end of a run with its time. */
export interface LastEndAnswer extends EndAnswer {
  readonly at: number;
  readonly lasted_ms: number;
}

/** CPU and memory of a program with all its child processes. */
export interface UsageAnswer {
  /** Resident bytes. */
  readonly memory: number;
  /** Processor time in milliseconds. */
  readonly cpu_ms: number;
  /** Share of one processor; missing for a program that was just started. */
  readonly cpu_percent?: number;
  /** Number of processes. */
  readonly processes: number;
}

/** A dependency that a start waits for. */
export interface WaitsForAnswer {
  readonly name: string;
  readonly conditions: readonly string[];
}

/** A dependency that a start cannot get past. */
export interface BlockedByAnswer extends WaitsForAnswer {
  /** Names of the direct dependencies that it blocks. */
  readonly blocks: readonly string[];
  readonly state?: ProcessStateName;
  readonly health?: 'unhealthy';
  readonly exit_code?: number;
  readonly exit_signal?: number;
}

/** STATUS: a process, as `onevisor.getStatus` has it. Its display name is `name`, or `group:name` if the two differ. */
export interface StatusAnswer {
  readonly name: string;
  readonly group: string;
  /** Times in seconds since 1970; 0 for never. */
  readonly start: number;
  readonly stop: number;
  readonly now: number;
  /** Number of the state, as in Supervisor. */
  readonly state: number;
  readonly statename: ProcessStateName;
  readonly spawnerr: string;
  readonly exitstatus: number;
  readonly logfile: string;
  readonly stdout_logfile: string;
  readonly stderr_logfile: string;
  /** 0 for none. */
  readonly pid: number;
  /** The text of `supervisorctl status`. */
  readonly description: string;
  readonly health?: HealthName;
  readonly health_reason?: string;
  /** Only for programs that report their readiness. */
  readonly ready?: boolean;
  readonly hold?: 'waiting' | 'stuck' | 'connection';
  readonly waits_for?: readonly WaitsForAnswer[];
  readonly blocked_by?: readonly BlockedByAnswer[];
  readonly listens_at?: readonly string[];
  /** Step that the start under way waits for. */
  readonly start_waits_for?: StartWait;
  readonly failure?: 'not_executed' | 'exited_too_quickly' | 'bad_exit' | 'not_ready' | 'restarted_too_often';
  /** Missing for a service. */
  readonly purpose?: 'oneshot' | 'scheduled';
  /** True if a start is due. */
  readonly restarting?: true;
  /** Exit of the latest run that has ended. */
  readonly exit_code?: number;
  readonly exit_signal?: number;
  readonly oom_kills?: number;
  /** Seconds since 1970. */
  readonly next_run?: number;
  readonly out_of_memory?: number;
  readonly status_text?: string;
  readonly restarts: number;
  readonly failed_starts: number;
  /** Unexpected restarts within `flapping_window`. */
  readonly unexpected_restarts: number;
  readonly flapping: boolean;
  readonly autostart: boolean;
  readonly has_healthcheck?: true;
  readonly start_cause?: CauseAnswer;
  readonly stop_cause?: CauseAnswer;
  readonly last_end?: LastEndAnswer;
  /** Last line of the latest run that has ended. */
  readonly last_line?: string;
  readonly last_line_stream?: ProgramStream;
  /** Reason why it is not ready. */
  readonly problem?: string;
  /** Reason why it is not alive. */
  readonly not_alive?: string;
  /** Dependencies; missing without any. */
  readonly depends_on?: readonly DependencyAnswer[];
  /** `numprocs` of the configuration, if a client has changed the number of processes. */
  readonly scaled_from?: number;
  readonly usage?: UsageAnswer;
}

/** `GET /processes`. */
export interface ProcessesAnswer {
  readonly epoch: string;
  /** Number of the latest event: the place of this answer in `/events`. */
  readonly seq: number;
  readonly processes: readonly StatusAnswer[];
}

/** RUN: a run of a process, as `onevisor.getRuns` has it. A run that goes on has no `end`. */
export interface RunAnswer {
  readonly run: number;
  readonly pid?: number;
  readonly start_seq: number;
  readonly started: number;
  readonly start_cause: CauseAnswer;
  readonly end?: RunEndAnswer;
}

/** The end of a run with its number. */
export interface RunEndAnswer extends LastEndAnswer {
  readonly seq: number;
}

/** `GET /processes/{name}/runs`. The latest run comes last. */
export interface RunsAnswer {
  readonly runs: readonly RunAnswer[];
}

/** A process of a program. */
export interface TreeProcessAnswer {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly memory: number;
  readonly cpu_ms: number;
}

/** A dependency of a process. */
export interface DependencyAnswer {
  readonly name: string;
  readonly conditions: readonly string[];
  /** True if the process is restarted after it. */
  readonly restart?: true;
}

/** A dependency of a process, with its present state. */
export interface DependsOnAnswer extends DependencyAnswer {
  readonly state?: ProcessStateName;
  readonly health?: HealthName;
}

/** The mode and the owner of the log files of a stream. */
export interface LogFileAnswer {
  readonly mode?: string;
  readonly owner?: string;
}

/** DESCRIPTION: everything about a process, as `onevisor.describeProcess` has it. Times of options are seconds. */
export interface DescriptionAnswer extends StatusAnswer {
  readonly configured: {
    readonly file: string;
    readonly line: number;
    readonly command: string;
    readonly user?: string;
    readonly directory?: string;
    readonly listen?: string;
    readonly listen_lazy?: true;
    readonly socket?: string;
  };
  readonly inherited: { readonly uid?: number; readonly directory?: string };
  readonly policy: {
    readonly autorestart: string;
    readonly startsecs: number;
    readonly startretries: number;
    readonly exitcodes: readonly number[];
    readonly exit_on_failure?: true;
    readonly exit_on_end?: true;
    readonly cron?: string;
    readonly tz?: string;
    readonly restart_on_change?: readonly string[];
    readonly signal_on_change?: string;
  };
  readonly readiness?: {
    readonly ready_log?: string;
    readonly notification_fd?: number;
    readonly notify?: string;
    readonly ready_timeout?: number;
  };
  readonly healthcheck?: {
    readonly check: string;
    readonly interval: number;
    readonly timeout: number;
    readonly retries: number;
    readonly action: string;
    readonly successes?: number;
    readonly expect?: string;
    readonly body?: string;
  };
  readonly reload?: string;
  readonly environment?: {
    readonly environment_clear?: true;
    readonly environment_pass?: string;
    readonly environment_file_expand?: true;
    readonly expand_file_variables?: string;
  };
  readonly limits?: Readonly<Record<string, string | number>>;
  readonly log_targets: { readonly stdout?: string; readonly stderr?: string };
  readonly log_files?: { readonly stdout?: LogFileAnswer; readonly stderr?: LogFileAnswer };
  readonly logfile_mkdir?: true;
  readonly log_multiline?: string;
  readonly redirect_stderr: boolean;
  readonly process_tree: readonly TreeProcessAnswer[];
  /** Addresses on which its processes accept connections. */
  readonly listens: readonly string[];
  readonly depends_on: readonly DependsOnAnswer[];
  readonly last_check?: {
    readonly at: number;
    readonly passed: boolean;
    readonly failure?: string;
    readonly output: string;
  };
  readonly flapping_window: number;
  readonly dependents: readonly string[];
  readonly notifications: readonly string[];
  readonly runs: readonly RunAnswer[];
}
