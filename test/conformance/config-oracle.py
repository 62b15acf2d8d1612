"""Prints the results of the installed Supervisor, and of its Python, for texts.

Reads a list of questions as JSON, and writes a list of answers as JSON.

{"what": "config", text, env}     the configuration, in the form of `onevisor check --json`
{"what": "file", path, env}       the same of a file, with users, directories, includes looked up
{"what": "files", text, files, env}  the same of a text with files beside it, by name; only includes are looked up
{"what": "dialect", text}         sections and options as ConfigParser reads them
{"what": "pairs", text}           the parts of `environment=`
{"what": "words", text}           the words of `command=`
{"what": "format", text, names}   the text with its expansions
An answer is {"ok": true, "value": …} or {"ok": false, "error": …}.

For "config", users, directories and plug-ins are not looked up, so that the result does not depend on the machine.
"""
import io
import json
import os
import shlex
import shutil
import signal
import socket
import sys
import tempfile

from supervisor import datatypes, events, loggers, options


def signal_name(number):
    names = [s.name for s in signal.Signals if s.value == number]
    return names[0][3:] if names else str(number)


def refuse(message):
    raise ValueError(message)


CWD = os.getcwd()
REAL = {}
STUBS = {
    (options, 'name_to_uid'): lambda name: 1000,
    (datatypes, 'name_to_uid'): lambda name: 1000,
    (datatypes, 'name_to_gid'): lambda name: 1000,
    (options, 'gid_for_uid'): lambda uid: 1000,
    (options, 'existing_dirpath'): os.path.expanduser,
    (datatypes, 'existing_dirpath'): os.path.expanduser,
    (options, 'existing_directory'): os.path.expanduser,
}


def stub(wanted):
    for (module, name), replacement in STUBS.items():
        REAL.setdefault((module, name), getattr(module, name))
        setattr(module, name, replacement if wanted else REAL[module, name])
    options.Options.import_spec = lambda self, spec: spec
    options.Options.usage = lambda self, message: refuse(message)


def log_file(value):
    return 'AUTO' if value is options.Automatic else value


def describe_process(group, process):
    names = [
        'command', 'directory', 'umask', 'priority', 'autostart', 'startsecs', 'startretries', 'stopwaitsecs',
        'stopasgroup', 'killasgroup', 'exitcodes', 'redirect_stderr', 'environment', 'serverurl',
        'stdout_capture_maxbytes', 'stdout_events_enabled', 'stdout_syslog', 'stdout_logfile_backups',
        'stdout_logfile_maxbytes', 'stderr_capture_maxbytes', 'stderr_events_enabled',
        'stderr_syslog', 'stderr_logfile_backups', 'stderr_logfile_maxbytes']
    shown = {name: getattr(process, name) for name in names}
    restart = {
        datatypes.RestartUnconditionally: 'true', datatypes.RestartWhenExitUnexpected: 'unexpected', False: 'false'}
    shown['autorestart'] = restart[process.autorestart]
    shown['stopsignal'] = signal_name(process.stopsignal)
    shown['stdout_logfile'] = log_file(process.stdout_logfile)
    shown['stderr_logfile'] = log_file(process.stderr_logfile)
    shown['group'], shown['name'] = group.name, process.name
    try:
        shown['argv'] = shlex.split(process.command)
    except ValueError:
        shown['argv'] = None
    return shown


def describe(path):
    server = options.ServerOptions()
    server.realize(['-c', path], doc='')
    section = server.configroot.supervisord
    names = [
        'directory', 'umask', 'logfile_maxbytes', 'logfile_backups', 'identifier', 'nodaemon', 'silent', 'minfds',
        'minprocs', 'nocleanup', 'strip_ansi', 'environment', 'childlogdir']
    supervisord = {name: getattr(section, name) for name in names}
    supervisord['loglevel'] = LEVELS[section.loglevel]
    supervisord['logfile'], supervisord['pidfile'] = server.logfile, server.pidfile
    groups = server.process_group_configs
    return {
        'supervisord': supervisord,
        'groups': [describe_group(group) for group in groups],
        'order': first_of_each_name(groups),
        'programs': [describe_process(group, process) for group in groups for process in group.process_configs],
        'servers': [describe_server(server) for server in section.server_configs],
        'interfaces': [
            {'name': name, 'factory': factory, 'options': extras}
            for name, factory, extras in section.rpcinterface_factories],
    }


LEVELS = {
    number: name for name, number in vars(loggers.LevelsByDescription).items() if not name.startswith('_')}


def describe_group(group):
    shown = {'name': group.name, 'priority': group.priority}
    if not group.process_configs:
        return shown
    if isinstance(group, options.EventListenerPoolConfig):
        names = [events.getEventNameByType(kind) for kind in group.pool_events]
        shown['listener'] = {
            'buffer_size': group.buffer_size, 'events': sorted(names), 'result_handler': group.result_handler}
    if isinstance(group, options.FastCGIGroupConfig):
        config = group.socket_config
        shown['socket'] = {'url': config.url, 'backlog': config.backlog, 'mode': getattr(config, 'mode', None)}
    return shown


def first_of_each_name(groups):
    """The groups that run, each with its processes in the order in which ProcessGroupBase starts them."""
    shown = {}
    for group in groups:
        processes = {config.name: config for config in group.process_configs}
        ordered = sorted(processes.values(), key=lambda config: config.priority)
        shown.setdefault(group.name, [config.name for config in ordered])
    return [{'name': name, 'processes': processes} for name, processes in shown.items()]


def describe_server(config):
    names = ['host', 'port'] if config['family'] == socket.AF_INET else ['file', 'chmod']
    return {name: config[name] for name in names + ['username', 'password']}


def parse(text):
    parser = options.UnhosedConfigParser()
    parser.read_file(io.StringIO(text, newline=None))
    sections = {name: dict(parser._sections[name]) for name in parser.sections()}
    return {'sections': sections, 'defaults': dict(parser._defaults)}


def answer(question, path):
    what, text = question['what'], question['text']
    stub(what != 'file')
    if what == 'dialect':
        return parse(text)
    if what == 'pairs':
        return datatypes.dict_of_key_value_pairs(text)
    if what == 'words':
        return shlex.split(text)
    if what == 'format':
        return options.expand(text, question['names'], 'option')
    if what == 'file':
        path = question['path']
    elif what == 'files':
        shutil.rmtree(os.path.dirname(path))
        for name, text in {'supervisord.conf': text, **question['files']}.items():
            file_path = os.path.join(os.path.dirname(path), name)
            os.makedirs(os.path.dirname(file_path), exist_ok=True)
            with open(file_path, 'w', encoding='utf-8', newline='') as file:
                file.write(text)
    else:
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
    os.environ.clear()
    os.environ.update(question['env'])
    # The names of the log and the pid file are relative. Files of "file" belong to the directory of the caller.
    os.chdir(CWD if what == 'file' else os.path.dirname(path))
    return describe(path)


def main():
    answers = []
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'supervisord.conf')
        for question in json.load(sys.stdin):
            try:
                one = {'ok': True, 'value': answer(question, path)}
            except Exception as error:  # whatever it is, Supervisor does not start with this text
                one = {'ok': False, 'error': '%s: %s' % (type(error).__name__, error)}
            answers.append(json.loads(json.dumps(one).replace(directory, '@HERE@')))
    json.dump(answers, sys.stdout)


main()
