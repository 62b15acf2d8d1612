"""Prints what Python's xmlrpc.client makes of calls and answers, as JSON.

Reads a list of questions as JSON, and writes a list of answers as JSON.

{"what": "loads", text}   the method and parameters of a text
{"what": "dumps", text}   the text of a value, which is given as JSON
An answer is {"ok": true, "value": …} or {"ok": false, "error": …}. Dates and bytes are {"": text}.
"""
import json
import math
import sys
import xmlrpc.client


def show(value):
    if isinstance(value, dict):
        return {name: show(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [show(one) for one in value]
    if isinstance(value, xmlrpc.client.DateTime):
        return {'': value.value}
    if isinstance(value, xmlrpc.client.Binary):
        return {'': value.data.decode('latin-1')}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def answer(question):
    if question['what'] == 'dumps':
        params = tuple(json.loads(question['text']))
        return xmlrpc.client.dumps(params, 'm', allow_none=True)
    try:
        params, method = xmlrpc.client.loads(question['text'])
    except xmlrpc.client.Fault as fault:
        return {'fault': [fault.faultCode, fault.faultString]}
    return {'method': method, 'params': show(params)}


def main():
    answers = []
    for question in json.load(sys.stdin):
        try:
            answers.append({'ok': True, 'value': answer(question)})
        except Exception as error:
            answers.append({'ok': False, 'error': '%s: %s' % (type(error).__name__, error)})
    json.dump(answers, sys.stdout)


main()
