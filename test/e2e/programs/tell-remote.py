"""tell-remote.py TYPE COUNT SIZE: sends REMOTE_COMMUNICATION events through the private socket of a container.

A %d in TYPE becomes the number of the event.
"""
import http.client
import socket
import sys
import xmlrpc.client


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect('/run/onevisor.sock')


class Transport(xmlrpc.client.Transport):
    def make_connection(self, host):
        return Connection('localhost')


server = xmlrpc.client.ServerProxy('http://localhost/RPC2', Transport())
for number in range(int(sys.argv[2])):
    server.supervisor.sendRemoteCommEvent(sys.argv[1].replace('%d', str(number)), 'x' * int(sys.argv[3]))
