# Sends the notifications of its arguments, in order, and then waits for a signal:
#   fd N          a line on descriptor N, which is then closed
#   sd TEXT       a datagram to NOTIFY_SOCKET (\n in TEXT is a newline)
#   child TEXT    the same from a short-lived child
#   tool ARG      with systemd-notify
#   each SEC TEXT a datagram every SEC seconds, until a file "silent" appears; prints their number
#   env           prints NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID
#   end           ends
import os, socket, subprocess, sys, time

def say(text):
    address = os.environ['NOTIFY_SOCKET']
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(text.replace('\\n', '\n').encode(), '\0' + address[1:])

words = iter(sys.argv[1:])
print('up', os.getpid(), flush=True)
for word in words:
    if word == 'fd':
        number = int(next(words))
        os.write(number, b'\n')
        os.close(number)
    elif word == 'sd':
        say(next(words))
    elif word == 'child':
        text = next(words)
        if os.fork() == 0:
            say(text)
            os._exit(0)
        os.wait()
    elif word == 'tool':
        subprocess.run(['systemd-notify', next(words)], check=True)
    elif word == 'each':
        pause, text = float(next(words)), next(words)
        count = 0
        while not os.path.exists('silent'):
            say(text)
            count += 1
            print('said', count, flush=True)
            time.sleep(pause)
        print('silent', flush=True)
    elif word == 'env':
        names = ('NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID')
        print('env', *(os.environ.get(name, '-') for name in names), flush=True)
    elif word == 'end':
        sys.exit(0)
while True:
    time.sleep(3600)
