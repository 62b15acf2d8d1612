"""Makes the calls of dashboards for Supervisor, in their order, over TCP with a password.

Arguments: the dashboard, host:port, the user, the password. Writes a line of JSON for each call: [call, answer]. The
values that differ between two runs (times, pids, paths) are replaced by their types. Each client also uses the answers
as its dashboard does, and so ends with an exception if a member is missing or has another form.
"""
import base64
import json
import socket
import sys
import time
import urllib.parse
import xmlrpc.client

VARYING = {'start', 'stop', 'now', 'pid', 'stdout_logfile', 'stderr_logfile', 'logfile'}


def shape(value, name=None):
    if isinstance(value, dict):
        return {key: shape(member, key) for key, member in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        # Results of many processes come in the order in which the processes have started or ended.
        if all(isinstance(member, dict) and 'status' in member for member in value):
            value = sorted(value, key=lambda result: (result['group'], result['name']))
        return [shape(member) for member in value]
    if name in VARYING:
        return type(value).__name__
    if name == 'description' and value.startswith('pid '):
        pid, uptime = value.split(',')
        return 'pid, uptime' if pid[4:].isdigit() and uptime.startswith(' uptime ') else value
    if name == 'description' and value[-3:] in (' AM', ' PM'):
        return 'date'
    return value


def tell(call, answer):
    print(json.dumps([call, answer]), flush=True)


class Server:
    """Python's client, as cesi and multivisor use it."""

    def __init__(self, address, user, password):
        self.proxy = xmlrpc.client.ServerProxy('http://%s:%s@%s/RPC2' % (user, password, address))

    def call(self, name, *args, hidden=None):
        method = self.proxy
        for part in name.split('.'):
            method = getattr(method, part)
        try:
            answer = method(*args)
        except xmlrpc.client.Fault as fault:
            tell([name, *args], {'fault': [fault.faultCode, fault.faultString]})
            return fault
        tell([name, *args], type(answer).__name__ if hidden else shape(answer))
        return answer

    def until(self, name, state):
        deadline = time.monotonic() + 60
        while self.proxy.supervisor.getProcessInfo(name)['statename'] != state:
            if time.monotonic() > deadline:
                raise TimeoutError('%s has not become %s' % (name, state))
            time.sleep(0.05)


def cesi(server):
    """A page of a node, a program, its log, and its buttons."""
    methods = server.call('system.listMethods', hidden=True)
    assert 'supervisor.getAllProcessInfo' in methods
    for process in server.call('supervisor.getAllProcessInfo'):
        for member in ('name', 'group', 'description', 'start', 'stop', 'now', 'state', 'statename', 'spawnerr',
                       'exitstatus', 'stdout_logfile', 'stderr_logfile', 'pid'):
            process[member]
        for member in ('start', 'stop', 'now'):
            time.strftime('%H:%M:%S', time.localtime(process[member]))
        if process['state'] == 20:
            assert process['description'].split(',')[1].strip().split(' ')[1].count(':') == 2
    for name in ('web', 'pool:worker_0', 'nothing'):
        found = server.call('supervisor.getProcessInfo', name)
        if isinstance(found, xmlrpc.client.Fault):
            continue
        server.call('supervisor.tailProcessStdoutLog', name, 0, 500)[0].split('\n')[1:-1]
        server.call('supervisor.tailProcessStderrLog', name, 0, 500)[0].split('\n')[1:-1]
        server.call('supervisor.startProcess', name)
        server.call('supervisor.stopProcess', name)
        server.call('supervisor.stopProcess', name)
        server.call('supervisor.startProcess', name)
        server.call('supervisor.getProcessInfo', name)
    server.call('supervisor.startProcess', 'bad')
    server.call('supervisor.getProcessInfo', 'bad')


def multivisor(server):
    """The state of a supervisor, an update, and the buttons of a program and of the supervisor."""
    server.call('supervisor.getPID', hidden=True)
    server.call('supervisor.getIdentification')
    server.call('supervisor.getAPIVersion')
    server.call('supervisor.getSupervisorVersion', hidden=True)
    for process in server.call('supervisor.getAllProcessInfo'):
        assert process.pop('description') is not None and process.pop('now') > 0
        full_name = process['group'] + ':' + process['name']
        server.call('supervisor.getProcessInfo', full_name)
    added, changed, removed = server.call('supervisor.reloadConfig')[0]
    assert [added, changed, removed] == [[], [], []]
    server.call('supervisor.stopProcess', 'pool:worker_0')
    server.call('supervisor.startProcess', 'pool:worker_0', False)
    server.until('pool:worker_0', 'RUNNING')
    for result in server.call('supervisor.stopProcessGroup', 'pool'):
        assert result['status'] == 80
    server.call('supervisor.removeProcessGroup', 'pool')
    server.call('supervisor.addProcessGroup', 'pool')
    server.until('pool:worker_1', 'RUNNING')
    # Not by MultiCall of Python, which takes a struct among the results for a fault.
    server.call('system.multicall', [
        {'methodName': 'supervisor.getState', 'params': []},
        {'methodName': 'supervisor.getProcessInfo', 'params': ['web']},
        {'methodName': 'supervisor.getProcessInfo', 'params': ['nothing']},
        {'methodName': 'supervisor.stopProcess', 'params': ['web']},
    ])
    server.call('supervisor.restart')


class TextClient:
    """The client of CodeIgniter for PHP: HTTP/1.0, a Host without a port, and every parameter is a string."""

    def __init__(self, address, user, password):
        self.address = address.rsplit(':', 1)
        self.authorization = base64.b64encode(('%s:%s' % (user, urllib.parse.unquote(password))).encode()).decode()

    def call(self, method, *args):
        values = ''.join('<param>\n<value><string>%s</string></value>\n</param>\n' % arg for arg in args)
        body = ('<?xml version="1.0"?>\r\n<methodCall>\r\n<methodName>supervisor.%s</methodName>\r\n<params>\r\n%s'
                '</params>\r\n</methodCall>' % (method, values)).encode()
        head = ('POST /RPC2 HTTP/1.0\r\nHost: %s\r\nContent-Type: text/xml\r\nUser-Agent: XML-RPC\r\n'
                'Content-Length: %d\r\nAuthorization: Basic %s\r\n\r\n'
                % (self.address[0], len(body), self.authorization)).encode()
        with socket.create_connection((self.address[0], int(self.address[1]))) as connection:
            connection.sendall(head + body)
            # The client reads until the server closes the connection.
            connection.settimeout(60)
            answer = b''
            while True:
                part = connection.recv(65536)
                if not part:
                    break
                answer += part
        header, _, content = answer.partition(b'\r\n\r\n')
        assert b' 200 ' in header.split(b'\r\n')[0], header
        try:
            value = xmlrpc.client.loads(content)[0][0]
        except xmlrpc.client.Fault as fault:
            tell([method, *args], {'fault': [fault.faultCode, fault.faultString]})
            return fault
        tell([method, *args], shape(value))
        return value


def supervisord_monitor(server):
    """The page with the last errors of each program, and its buttons."""
    for item in server.call('getAllProcessInfo'):
        name = item['name'] if item['group'] == item['name'] else item['group'] + ':' + item['name']
        if item['statename'] == 'RUNNING':
            pid, uptime = item['description'].split(',')
            assert uptime.replace('uptime ', '').count(':') == 2
        server.call('readProcessStderrLog', name, '-1000', '0')
    server.call('stopProcess', 'web', '1')
    server.call('startProcess', 'web', '1')
    server.call('startProcess', 'web', '1')
    server.call('clearProcessLogs', 'web')
    server.call('readProcessStderrLog', 'web', '-1000', '0')
    # In the order of their ends.
    assert {result['status'] for result in server.call('stopAllProcesses', '1')} == {80}
    server.call('startAllProcesses', '1')
    server.call('getAllProcessInfo')


def main():
    dashboard, *connection = sys.argv[1:]
    if dashboard == 'supervisord-monitor':
        supervisord_monitor(TextClient(*connection))
    elif dashboard == 'cesi':
        cesi(Server(*connection))
    else:
        multivisor(Server(*connection))


main()
