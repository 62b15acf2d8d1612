"""A log daemon: binds the datagram socket at argv[1], prints "listening", then each message as repr()."""
import os
import socket
import sys

path = sys.argv[1]
if os.path.exists(path):
    os.unlink(path)
daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
daemon.bind(path)
print("listening", flush=True)
while True:
    print(repr(daemon.recv(1 << 20)), flush=True)
