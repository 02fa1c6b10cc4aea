"""A read cache in front of Redis, as it is written in an afternoon: one process, an LRU with expiry in a dictionary, a thread for each connection.

    proxy.py PORT REDIS_PORT CAPACITY EXPIRY_SECONDS
"""
import json
import sys
import threading
import time
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import redis

port, redis_port, capacity, expiry = (int(argument) for argument in sys.argv[1:])
store = redis.Redis(port=redis_port)


class Cache:
    """Values by key, the least recently used first."""

    def __init__(self):
        self.entries = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key):
        with self.lock:
            value, expires_at = self.entries.get(key, (None, 0))
            if value is None:
                return None
            if expires_at < time.monotonic():
                del self.entries[key]
                return None
            self.entries.move_to_end(key)
            return value

    def put(self, key, value):
        with self.lock:
            self.entries[key] = value, time.monotonic() + expiry
            self.entries.move_to_end(key)
            if len(self.entries) > capacity:
                self.entries.popitem(last=False)


cache = Cache()


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together

    def do_GET(self):
        if not self.path.startswith('/get/'):
            return self.answer(404, b'Resource not found', 'text/plain')
        key = unquote(self.path[len('/get/'):])
        value, source = cache.get(key), 'cache'
        if value is None:
            value, source = store.get(key), 'redis'
            if value is None:
                return self.answer(404, b'key was not found', 'text/plain')
            value = value.decode()
            cache.put(key, value)
        self.answer(200, json.dumps({'value': value, 'source': source}).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        store.set(body['k'], body['v'])
        cache.put(body['k'], body['v'])
        self.answer(200, b'{"result": "OK"}')

    def answer(self, status, body, kind='application/json'):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024


Server(('127.0.0.1', port), Handler).serve_forever()
