"""A typical event listener: writes state changes and output of programs to a file."""
from supervisor import childutils

with open('/tmp/shipped', 'a', buffering=1) as shipped:
    while True:
        headers, payload = childutils.listener.wait()
        data, _, text = payload.partition('\n')
        words = childutils.get_headers(data)
        event = headers['eventname'].removeprefix('PROCESS_STATE_')
        shipped.write('%s %s %s\n' % (event, words['processname'], text.strip()))
        childutils.listener.ok()
