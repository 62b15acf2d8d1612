/**
 * Cases for the comparison with the installed Supervisor: what is asked (see config-oracle.py), and the text. Data.
 */

/** Names that the cases of `format` can use. */
export const names = { t: "it's", n: 42, m: -7 } as const;

const S = '[supervisord]\n';
const program = (lines: string): readonly ['config', string] => ['config', `${S}[program:p]\ncommand=/p\n${lines}\n`];
const ask = (what: string, texts: readonly string[]): Array<readonly [string, string]> => texts.map((text) => [what, text] as const);

/** Read alike by both. */
export const cases: ReadonlyArray<readonly [string, string]> = [
  ...ask('dialect', [
    '[s]\na=b:c\nd: e=f\n', '[S]\nKey = Value\n', '[s]\na=\nb:\n', '; x\n# y\n[s]\n  ; z\na=1\n', '[s]\na=1 ; x\nb=1;x\nc=1 # x\nd=1#x\n', '[s]\na=x;y ;z #w\nb=x;y ;z\n', '[s]\na=1\n  2\n\n  3\n\nb=4\n', '[s]\na=1,\n  ; c\n  2\n', '[s]\n  a=1\n  b=2\n   c=3\n',
    '[s]\na=1\n [t]\n', '[s] ; c\na=1\n[t] x\n', '[s]\na=1\n[t]\n[s]\na=2\n', '[a.b]\nc.d[]="x"\n', '[s]\na=\\;b \\n\n', '[s]\na=true\nb=null\n', '[s]\r\na=1\r\n  2\rb=3', '[s]\na=x\u2028y\n', '[s]\na=\x0b1\x1c\n', '[s t]\na b = c\n', '[DEFAULT]\na=1\n[s]\n', '[s]\nfoo\n', 'a=1\n', '\uFEFF[s]\n',
    '[s]\n=1\n', '[]\n', '[s]\n[]\n', '[[s]]\na=1\n', '[s]\na = ; x\n', '[s]\na=1\n\n\n', '[s]\n\ta=1\n\t\t2\n', '[s]\na=1\n;c\n 2\n', '[s]\na==1\n', '[s]\na:=1\n', '', '\n\n', '; only\n', '[s]\na=1;\n', '[s]\n__proto__=1\n', '[s]\nA=1\na=2\n', '[s]\na=é中\n', '[s]\na=\u00a0x\u00a0\n',
  ]),
  ...ask('pairs', [
    '', 'A=1', 'A=1,B=2', 'A="1 2",B=\'x,y\'', 'A = 1 , B = 2,', 'A=1\nB=2', 'A=1,\n  B=2', 'A=/a/b.c+d-e:(f)', 'A=""', `A="'x'"`, 'A=x"y', 'A=$HOME', 'A="C:\\dir\\",B=2', `A='x\\"y'`, 'A="x\\\\",B=1', 'A=-Xmx1g -Xms1g', 'A="1"abc', 'A="1" "2",B=3', 'A=1,A=2', 'A=a#b', 'A=a#b,\nc', '# c\nA=1', 'A="a#b"', 'A', 'A=', '=1', 'A=,B=1', 'A=a@b', 'A="x', 'A B=1', 'A=é', 'A="é"', 'A=1;B=2', 'A=\\"x\\"', '"A"=1', 'A=""",B=1', 'A=http://x/?a=b', 'A=a b', 'A=*', 'A={}',
  ]),
  ...ask('words', ['', 'a  b\t"c d"\n', `a 'b "c"' "d 'e'"`, 'a\\ b "\\$x \\" \\\\" \'\\n\'', 'a"b"c ""', "$'x' $\"y\"", 'a # b', 'a;b && c | d', 'a "b', "a 'b", 'a \\', '"\\', 'a\n\\\nb', 'a\u00a0b', "a '' b"]),
  ...ask('format', [
    '', '%%', 'a%%b', '%(t)s', '%(n)d', '%(n)05d', '%(n)-5d|', '%(n)+d', '%(n) d', '%(m)d', '%(n).4d', '%(n)i', '%(n)u', '%(n)ld', '%(m)x', '%(m)#X', '%(m)#08o', '%(n)s', '%(n)r', '%(n)c', '%(t)r', '%(t)a', '%(t).2s', '%(t)8s', '%(n)f', '%(n).1f', '%(n)e', '%(n)E', '%(n)g', '%(n)#g', '%(n)G', '%(n)010.2f',
    '%s', '%r|', '%5', '%', '100%', '%d', '% d', '%5%', '%h%', '%s %s', '%(t)s %s', '%s %(t)s', '%(t', '%(t)', '%(nope)s', '%(t)d', '%(t)c', '%(t)%', '%(t)z', '%(n)*d', '%USER%', '%(a(b))s', '%)', '%é',
  ]),
  ...['', 'priority=1_0', 'priority= +5', 'priority=1.5', 'priority=%(here)s', 'priority=%(ENV_N)s', 'priority=%(program_name)s', 'autostart=YES', 'autostart=on', 'autostart=', 'autostart=t', 'autorestart=Unexpected', 'autorestart=1', 'autorestart=always', 'startsecs=1s', 'startretries=-1', 'exitcodes=', 'exitcodes=0, 2', 'exitcodes=0,', 'exitcodes=256',
    'stopsignal=SIGINT', 'stopsignal=int', 'stopsignal=9', 'stopsignal=SIGCLD', 'stopsignal=RTMIN', 'stopsignal=64', 'stopsignal=FOO', 'stopsignal=SIGSIGTERM', 'stopsignal=sig15', 'stopsignal=sigterm', 'stopsignal= 15 ', 'stopsignal=SIG', 'stopsignal=SIG 15', 'stopsignal=99', 'stopwaitsecs=0x1', 'stopasgroup=true', 'stopasgroup=true\nkillasgroup=false', 'killasgroup=true', 'umask=022', 'umask=0o22', 'umask=9', 'umask=', 'numprocs=0', 'numprocs=2', 'numprocs=2\nprocess_name=x%(process_num)d', 'numprocs=2\nnumprocs_start=9\nprocess_name=%(program_name)s_%(process_num)02d\nstdout_logfile=/l/%(process_num)d.log',
    'numprocs=-1\nautostart=x', 'process_name=a b', 'process_name=a:b', 'process_name=%(process_num)', 'process_name=%(host_node_name)s', 'redirect_stderr=true\nstderr_logfile=/x', 'stdout_logfile=NONE', 'stdout_logfile=off', 'stdout_logfile=', 'stdout_logfile=syslog', 'stdout_logfile=%(program_name)s.log', 'stdout_logfile=/a/100%%', 'stdout_logfile=/a/100%%%%', 'stdout_logfile_maxbytes=0', 'stdout_logfile_maxbytes=1 MB',
    'stdout_logfile_maxbytes=1M', 'stdout_logfile_maxbytes=0;', 'stdout_syslog=true', 'serverurl=AUTO', 'serverurl=', 'directory=', 'directory=~', 'directory=%(process_num)d', 'directory=%(ENV_OWN)s\nenvironment=OWN="/o"', 'environment=A="%(ENV_A)s"', 'environment=%(ENV_P)s', 'environment=D=1,%(ENV_P)s', 'environment=A="50%%"', 'environment=A=50%%', 'environment=A=1\nenvironment=B=2', 'environment=N="%(process_num)02d"', 'environment=A=$HOME', 'environment=A',
    'command=a %s', 'command=a %(ENV_NOPE)s', 'command=a "b', 'command=', 'command=a\n  b\n  c', 'command=a ; c', 'command=a;c', 'COMMAND=upper', 'command: colon', 'user=%(process_num)d', 'foo=%(bar)s', 'foo', 'depends=x',
  ].map(program),
  ...ask('config', [
    '', '[program:p]\ncommand=x\n', S, `${S}[program:]\n`, `${S}[program:a b]\ncommand=x\n`, `${S}[program: a]\ncommand=x\n`, `${S}[Program:a]\n`, `${S}[program:a]\n`, `${S}[program:a.b-c]\ncommand=x\n`, `${S}[program:p]\ncommand=a\n[program:p]\nuser=root\n`,
    `${S}environment=A="1"\n[program:p]\ncommand=%(ENV_A)s\nenvironment=B="%(ENV_A)s2"\n`, `${S}environment=A="%(host_node_name)s"\n`, `${S}identifier=%(here)s\n`, `${S}loglevel=WARN\n`, `${S}loglevel=warning\n`, `${S}minfds=x\n`, `${S}logfile_maxbytes=0;\n`, `${S}umask=8\n`, `${S}nodaemon=maybe\n`, `${S}silent=on\nstrip_ansi=1\nnocleanup=yes\n`,
    `${S}[DEFAULT]\nautostart=false\n[program:p]\ncommand=x\n`, `${S}[group:g]\nprograms=a,b\npriority=5\n[program:a]\ncommand=a\n[program:b]\ncommand=b\n[program:c]\ncommand=c\npriority=1\n`, `${S}[group:g]\nprograms=a,\n[program:a]\ncommand=a\n`, `${S}[group:g]\nprograms=a b\n[program:a]\ncommand=a\n`, `${S}[group:g]\nprograms=nope\n`, `${S}[group:g]\n`, `${S}[group:g]\npriority=x\n`, `${S}[group:a]\nprograms=a\n[program:a]\ncommand=a\n`,
    `${S}[group:g]\nprograms=a\n[group:h]\nprograms=a\n[program:a]\ncommand=%(group_name)s\n`, `${S}[group:g]\nprograms=f\n[fcgi-program:f]\ncommand=f\n`, `${S}[program:a]\ncommand=p\n[fcgi-program:a]\ncommand=f\nsocket=tcp://h:1\n`, `${S}[group:g]\nprograms=a\n[program:a]\ncommand=p\n[fcgi-program:a]\ncommand=f\nsocket=tcp://h:1\n`,
    `${S}[eventlistener:l]\ncommand=l\nevents=PROCESS_STATE,tick_5\n`, `${S}[eventlistener:l]\ncommand=l\n`, `${S}[eventlistener:l]\ncommand=l\nevents=\n`, `${S}[eventlistener:l]\ncommand=l\nevents=NOPE\n`, `${S}[eventlistener:l]\ncommand=l\nevents=EVENT,\n`, `${S}[eventlistener:l]\ncommand=l\nevents=EVENT\npriority=3\nbuffer_size=0\n`, `${S}[eventlistener:l]\ncommand=l\nevents=EVENT\nredirect_stderr=true\n`,
    `${S}[fcgi-program:f]\ncommand=f\n`, `${S}[fcgi-program:f]\ncommand=f\nsocket=unix:///tmp/%(program_name)s\n`, `${S}[fcgi-program:f]\ncommand=f\nsocket=unix://x\n`, `${S}[fcgi-program:f]\ncommand=f\nsocket=tcp://h:99999\n`, `${S}[fcgi-program:f]\ncommand=f\nsocket=tcp://h:1\nsocket_mode=0700\n`, `${S}[fcgi-program:f]\ncommand=f\nsocket=unix:///x\nsocket_backlog=0\n`,
    `${S}[inet_http_server]\nport=*:9001\n`, `${S}[inet_http_server]\nport=h:\n`, `${S}[inet_http_server]\n`, `${S}[inet_http_server]\nport=0\n`, `${S}[inet_http_server]\nport=1\nusername=a\n`, `${S}[inet_http_server:x]\nport=x\n`, `${S}[inet_http_server]\nport=1\nusername=%(here)s\npassword=x\n`, `${S}[include]\nfiles=x\n[inet_http_server]\nport=1\nusername=%(here)s\npassword=x\n`,
    `${S}[unix_http_server]\nfile=/x\nchmod=0700\n`, `${S}[unix_http_server]\nfile=/x\nchmod=9\n`, `${S}[unix_http_server]\n`, `${S}[unix_http_server]\nfile=/x\nchown=%(here)s\n`, `${S}[supervisorctl]\nserverurl=%\n`, `${S}[rpcinterface:x]\n`, `${S}[rpcinterface:x]\nsupervisor.rpcinterface_factory=a:b\nk=%(ENV_NOPE)s\n`, `${S}[include]\n`, `${S}[include]\nfiles=%\n`, `${S}[unknown]\nx=%\n`,
  ]),
];

/** Read differently by us, with the reason; each must stay different, or leave this list. */
export const differences: ReadonlyArray<readonly [string, string, string]> = [
  [...program('stopsignal=0'), 'signal 0 reaches nobody: Supervisor takes it for the name SIG_DFL'],
  [...program('stopsignal=RTMIN+3'), 'real-time signals have names here'],
  [...program('stopsignal=TERM,KILL'), 'a list of signals'],
  [...program('environment=A=%(ENV_SECRET)s'), 'quotes, commas and percent signs in the value of a variable do no harm'],
  [...program('environment=A=%(ENV_ZERO)s,B=1'), 'a variable that is empty is an empty value'],
  [...program('command=%(ENV_NOPE:-/bin/x)s'), 'defaults in expansions'],
  [...program('stdout_logfile=/x.log, /dev/stdout\nstderr_logfile=~/a, NONE'), 'several log targets'],
  ['config', `${S}[program-default]\nstartsecs=5\n[program:p]\ncommand=x\n`, 'defaults for all programs'],
  [...program('depends_on=nope'), 'an unknown name in an option of ours is an error'],
  [...program('cron=* * * * *'), 'a schedule starts the program, not the supervisor'],
  ['config', `${S}[program:]\ncommand=x\n`, 'a program without a name cannot be addressed'],
  ['config', `${S}[inet_http_server]\nport=[::1]:9001\n[program:p]\ncommand=%%(here)s\n[include]\nfiles=x\n`, 'Supervisor replaces %(here)s by its letters once there is an [include], so that it cannot be escaped'],
  ['format', '%(ENV_NOPE:-x)s %(t:-y)s', 'defaults in expansions'],
  ['config', `${S}environment=A="100%%"\n`, 'Supervisor expands this option twice up to 4.3, and once from 4.4 on'],
  ['config', `${S}environment=A="100%%%%"\n`, 'the same'],
  ...['A="1\\"2"', 'A="a \\"b\\", c",B=2', 'A="C:\\\\dir \\"x\\""'].map((text) => ['pairs', text, 'a quote within quotes, as from 4.4 on; 4.3 loses the rest or fails'] as const),
];
