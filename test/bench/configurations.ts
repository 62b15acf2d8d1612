/** Configurations that several cases use. Both supervisors get the same text. */

/** A supervisor as in a container: in the foreground, with its log on the console. */
export const FOREGROUND =
  '[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=%FOLDER%/pid\nminfds=8192\n';

/** Sections of a supervisor with a control socket. */
export const CONTROL =
  '[unix_http_server]\nfile=%FOLDER%/socket\n[supervisorctl]\nserverurl=unix://%FOLDER%/socket\n' +
  '[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n';

/** Creates sections of programs that report their exec, wait, and would write to the output of the container. */
export function programSections(count: number, options = ''): string {
  const section = (index: number): string =>
    `[program:p${index}]\ncommand=%STAMP%\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n` +
    `redirect_stderr=true\n${options}`;
  return Array.from({ length: count }, (_, index) => section(index)).join('');
}
