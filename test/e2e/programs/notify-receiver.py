# notify-receiver.py ADDRESS: the manager's end of sd_notify(3). An address that begins with @ is an abstract name.
# Prints each assignment on a line of its own.
import socket
import sys

address = sys.argv[1]
end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
end.bind("\0" + address[1:] if address.startswith("@") else address)
print("listening", flush=True)
while True:
    for line in end.recv(65536).decode().split("\n"):
        print("got " + line, flush=True)
