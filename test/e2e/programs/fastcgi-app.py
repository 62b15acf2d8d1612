"""A FastCGI program: accepts on its standard input and answers every request with its pid.

Prints the properties of its standard input to standard error.
"""
import os
import socket
import struct
import sys

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6

listening = socket.socket(fileno=0)
accepts = listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
print(f"up: listens={accepts} blocks={os.get_blocking(0)} umask={os.umask(0o22):o}", file=sys.stderr, flush=True)


def read_exactly(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def record(kind, request, content):
    return struct.pack("!BBHHBx", 1, kind, request, len(content), 0) + content


while True:
    connection, _ = listening.accept()
    try:
        while True:
            _, kind, request, length, padding = struct.unpack("!BBHHBx", read_exactly(connection, 8))
            read_exactly(connection, length + padding)
            if kind == STDIN and length == 0:
                break
        body = f"Content-Type: text/plain\r\n\r\nserved by {os.getpid()}\n".encode()
        answer = record(STDOUT, request, body) + record(STDOUT, request, b"")
        connection.sendall(answer + record(END, request, b"\0" * 8))
    except ConnectionError:
        pass
    connection.close()
