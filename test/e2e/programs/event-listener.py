"""An event listener without any library.

Prints each event to standard error: `NAME took TYPE LENGTH FIRST-LINE-OF-PAYLOAD`.

usage: event-listener.py NAME [HOW [FILE]]
  once   ends after each event        hang   answers the first event when FILE exists
  close  an event of sendRemoteCommEvent with type "close" makes it close its standard input and continue
"""
import os
import sys
import time

name = sys.argv[1]
how = sys.argv[2] if len(sys.argv) > 2 else ''


def say(text):
    os.write(2, ('%s %s\n' % (name, text)).encode())


def read(count):
    data = b''
    while len(data) < count:
        piece = os.read(0, min(count - len(data), 65536))
        if not piece:
            sys.exit(0)
        data += piece
    return data


say('begins')
while True:
    os.write(1, b'READY\n')
    header = b''
    while not header.endswith(b'\n'):
        header += read(1)
    fields = dict(field.split(':', 1) for field in header.decode().split())
    payload = read(int(fields['len'])).decode()
    say('took %s %s %s' % (fields['eventname'], fields['len'], payload.split('\n')[0]))
    while how == 'hang' and not os.path.exists(sys.argv[3]):
        time.sleep(0.02)
    os.write(1, b'RESULT 2\nOK')
    if how == 'once':
        sys.exit(0)
    if how == 'close' and payload.startswith('type:close\n'):
        os.close(0)
        os.write(1, b'READY\n')
        time.sleep(1000)
