/** The programs of a busy container, for tests of the dashboard. */

/** A server that waits for a worker, a program that crashes again and again, and a number of sleepers. */
export const busyPrograms = (sleepers: number): string => `
[program:web]
command=/usr/sbin/nginx -c %FOLDER%/nginx.conf -g "daemon off;"
depends_on=worker:started
[program:worker]
command=python3 -u %FOLDER%/worker.py
reload_signal=HUP
stdout_logfile=%FOLDER%/worker.log
[program:crasher]
command=sh -c 'sleep 1; echo "no <b>database</b>" >&2; exit 3'
autorestart=true
startsecs=0
[program:sleeper]
command=sleep 1000
numprocs=${sleepers}
process_name=%(program_name)s_%(process_num)${sleepers > 9 ? '03' : ''}d
`;

/** The files of these programs. */
export const busyFiles = {
  'nginx.conf':
    'pid %FOLDER%/nginx.pid; error_log stderr; events {}\n' +
    'http { access_log off; server { listen unix:%FOLDER%/web.sock; } }',
  'worker.py':
    'import signal, sys\nprint("ready for jobs")\n' +
    'signal.signal(signal.SIGHUP, lambda *_: print("configuration read"))\n' +
    'signal.signal(signal.SIGUSR1, lambda *_: print("told by USR1"))\n' +
    'for line in sys.stdin: print("job", line.strip())\nsignal.pause()\n',
};
