# terminal.py COMMAND ARGUMENT...: runs a command at a terminal of its own, as `docker run -it` does.
# Types its standard input there, and copies the output of the terminal to stdout.
# SIGUSR1 makes the window 33 lines of 111 columns.
# At the end it prints the exit of the command.
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios


def resize(_signal, _frame):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))


pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGUSR1, resize)
sources = [0, terminal]
while terminal in sources:
    ready, _, _ = select.select(sources, [], [])
    for source in ready:
        try:
            data = os.read(source, 65536)
        except OSError:
            data = b""
        if not data:
            sources.remove(source)
        else:
            os.write(terminal if source == 0 else 1, data)
_, status = os.waitpid(pid, 0)
os.write(1, b"\nended with %d\n" % os.waitstatus_to_exitcode(status))
