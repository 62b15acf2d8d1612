"""An event listener as in the documentation, with supervisor.childutils.

Writes each event to a unix socket, as a line of JSON.

usage: listener.py SOCKET NAME [HOW]    HOW: ok (default), fail-once, garbage (in its first run),
or call-back: for an event of sendRemoteCommEvent with type "restart" it restarts the process named in the data over
XML-RPC

SIGTERM ends it between two events. An event that was reported but not answered would come again after a restart.
"""
import json
import os
import signal
import socket
import sys

from supervisor import childutils

path, name = sys.argv[1:3]
how = sys.argv[3] if len(sys.argv) > 3 else 'ok'
told = socket.socket(socket.AF_UNIX)
told.connect(path)


def tell(**fields):
    told.sendall((json.dumps(dict(listener=name, pid=os.getpid(), **fields)) + '\n').encode())


tell(begins=True)
if how == 'garbage' and not os.path.exists(path + '.garbage'):
    open(path + '.garbage', 'w').close()
    sys.stdout.write('READY\nsomething that is no answer\n')
    sys.stdout.flush()
count = 0
while True:
    headers, payload = childutils.listener.wait(sys.stdin, sys.stdout)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    tell(headers=headers, payload=payload)
    count += 1
    if how == 'call-back' and payload.startswith('type:restart\n'):
        interface = childutils.getRPCInterface(os.environ).supervisor
        process = payload.split('\n')[1]
        interface.stopProcess(process)
        interface.startProcess(process)
    if how == 'fail-once' and count == 1:
        childutils.listener.fail(sys.stdout)
    else:
        childutils.listener.ok(sys.stdout)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
