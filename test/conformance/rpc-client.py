"""Calls a supervisor over XML-RPC with Python's own client.

Reads steps as JSON on standard input, and writes outcomes as JSON on standard output.

A step is [method, argument...], ["until", name, state] to wait for a state, or
["untilLog", name, text] to wait for the end of a log. An outcome is {"value": ...},
{"fault": [number, text]} or {"error": text}. Bytes are given as {"base64": text}.
"""
import base64
import http.client
import json
import socket
import sys
import time
import xmlrpc.client


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.host_path)


class UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def make_connection(self, host):
        if self._connection[1] is None:
            connection = UnixConnection('localhost')
            connection.host_path = self.path
            self._connection = host, connection
        return self._connection[1]


def server(url):
    if url.startswith('unix://'):
        return xmlrpc.client.ServerProxy('http://localhost', transport=UnixTransport(url[7:]))
    return xmlrpc.client.ServerProxy(url)


def decode(value):
    if isinstance(value, dict) and list(value) == ['base64']:
        return xmlrpc.client.Binary(base64.b64decode(value['base64']))
    if isinstance(value, list):
        return [decode(member) for member in value]
    if isinstance(value, dict):
        return {name: decode(member) for name, member in value.items()}
    return value


def call(proxy, name, args):
    # A method of the proxy by its whole name, so that names such as system.__class__ get through.
    request = xmlrpc.client._Method(proxy._ServerProxy__request, name)
    try:
        return {'value': request(*[decode(arg) for arg in args])}
    except xmlrpc.client.Fault as fault:
        return {'fault': [fault.faultCode, fault.faultString]}
    except xmlrpc.client.ProtocolError as error:
        return {'error': 'HTTP %d' % error.errcode}
    except Exception as error:
        return {'error': type(error).__name__}


def wait(proxy, name, state):
    for _ in range(400):
        outcome = call(proxy, 'supervisor.getProcessInfo', [name])
        if 'value' in outcome and outcome['value']['statename'] == state:
            return outcome
        time.sleep(0.05)
    return {'error': '%s has not become %s: %r' % (name, state, outcome)}


def wait_for_log(proxy, name, text):
    for _ in range(400):
        outcome = call(proxy, 'supervisor.readProcessStdoutLog', [name, 0, 0])
        if 'value' in outcome and outcome['value'].endswith(text):
            return outcome
        time.sleep(0.05)
    return {'error': '%s has not written %r: %r' % (name, text, outcome)}


def main():
    proxy = server(sys.argv[1])
    for step in json.load(sys.stdin):
        if step[0] == 'until':
            outcome = wait(proxy, step[1], step[2])
        elif step[0] == 'untilLog':
            outcome = wait_for_log(proxy, step[1], step[2])
        else:
            outcome = call(proxy, step[0], step[1:])
        print(json.dumps(outcome), flush=True)


main()
