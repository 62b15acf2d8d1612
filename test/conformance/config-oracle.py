"""Prints the results of the installed Supervisor, and of its Python, for texts.

Reads a list of questions as JSON, and writes a list of answers as JSON.

{"what": "config", text, env}     the configuration, in the form of `onevisor check --json`
{"what": "file", path, env}       the same of a file, with users, directories, includes looked up
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
import signal
import sys
import tempfile

from supervisor import datatypes, options


def signal_name(number):
    names = [s.name for s in signal.Signals if s.value == number]
    return names[0][3:] if names else str(number)


def refuse(message):
    raise ValueError(message)


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
        'minprocs', 'nocleanup', 'strip_ansi', 'environment']
    supervisord = {name: getattr(section, name) for name in names}
    groups = server.process_group_configs
    return {
        'supervisord': supervisord,
        'groups': [{'name': group.name, 'priority': group.priority} for group in groups],
        'programs': [describe_process(group, process) for group in groups for process in group.process_configs],
    }


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
    else:
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
    os.environ.clear()
    os.environ.update(question['env'])
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
