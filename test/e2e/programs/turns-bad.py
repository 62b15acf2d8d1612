"""An HTTP server on the port of its argument.

SIGUSR1 switches between the answers 503 and 200. After SIGUSR2 it takes requests and answers none.
"""
import http.server
import signal
import sys
import threading

answers = {'status': 200, 'hangs': False}


def turn(_signal, _frame):
    answers['status'] = 503 if answers['status'] == 200 else 200
    print('answers', answers['status'], flush=True)


def hang(_signal, _frame):
    answers['hangs'] = True
    print('hangs', flush=True)


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if answers['hangs']:
            threading.Event().wait()
        self.send_response(answers['status'])
        self.end_headers()
        self.wfile.write(self.headers['User-Agent'].encode())

    def log_message(self, *_arguments):
        pass


signal.signal(signal.SIGUSR1, turn)
signal.signal(signal.SIGUSR2, hang)
server = http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Server)
server.daemon_threads = True
print('listening', flush=True)
server.serve_forever()
