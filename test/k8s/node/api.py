#!/usr/bin/env python3
"""The part of the Kubernetes API that one kubelet asks for.

usage: api.py DIRECTORY PORT

The kubelet, the runtime and the volumes of the tests are real; only what an
API server and its controllers would have stored is answered from here. An
object is a JSON file in DIRECTORY, named KIND.NAME.json; the tests write Pods,
ConfigMaps and Secrets, the kubelet reports their status. Nothing is checked:
manifests are validated elsewhere.
"""
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

KINDS = {'pods': 'Pod', 'nodes': 'Node', 'services': 'Service',
         'configmaps': 'ConfigMap', 'secrets': 'Secret', 'events': 'Event',
         'leases': 'Lease', 'csinodes': 'CSINode', 'csidrivers': 'CSIDriver',
         'runtimeclasses': 'RuntimeClass'}
TICK = 0.1      # seconds between two looks at the directory, for a watch

where = ''
lock = threading.Lock()


def path_of(kind, name):
    return os.path.join(where, f'{kind}.{name}.json')


def load(kind, name):
    try:
        with open(path_of(kind, name), encoding='utf-8') as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def store(kind, name, thing):
    """The modification time in nanoseconds is the resource version."""
    path = path_of(kind, name)
    with open(path + '.new', 'w', encoding='utf-8') as file:
        json.dump(thing, file)
    os.rename(path + '.new', path)


def everything(kind):
    found = {}
    for name in os.listdir(where):
        parts = name.split('.')
        if parts[0] == kind and parts[-1] == 'json':
            path = os.path.join(where, name)
            try:
                version = str(os.stat(path).st_mtime_ns)
                with open(path, encoding='utf-8') as file:
                    thing = json.load(file)
            except FileNotFoundError:
                continue
            thing['metadata']['resourceVersion'] = version
            found['.'.join(parts[1:-1])] = thing
    return found


def merge(old, new):
    """A merge patch, without the marks of the strategic one."""
    for key, value in new.items():
        if key.startswith('$'):
            continue
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            merge(old[key], value)
        elif value is None:
            old.pop(key, None)
        else:
            old[key] = value


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, thing, status=200):
        body = json.dumps(thing).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def missing(self):
        self.answer({'kind': 'Status', 'apiVersion': 'v1', 'code': 404,
                     'status': 'Failure', 'reason': 'NotFound'}, 404)

    def target(self):
        """The parts of a path: version, kind, name, subresource, query."""
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.strip('/').split('/')
        version = '/'.join(parts[1:3]) if parts[0] == 'apis' else parts[1]
        parts = parts[3:] if parts[0] == 'apis' else parts[2:]
        if parts[:1] == ['namespaces'] and len(parts) > 2:
            parts = parts[2:]
        parts += [''] * (3 - len(parts))
        kind = KINDS.get(parts[0], parts[0])
        return version, kind, parts[1], parts[2], urllib.parse.parse_qs(url.query)

    def body(self):
        length = int(self.headers.get('Content-Length') or 0)
        return json.loads(self.rfile.read(length) or b'{}')

    def watch(self, version, kind):
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        known = {}
        while True:
            now = everything(kind)
            events = [('DELETED', known[name]) for name in known
                      if name not in now]
            for name, thing in now.items():
                old = known.get(name)
                if old is None:
                    events.append(('ADDED', thing))
                elif old['metadata']['resourceVersion'] != \
                        thing['metadata']['resourceVersion']:
                    events.append(('MODIFIED', thing))
            for event, thing in events:
                thing.update(kind=kind, apiVersion=version)
                line = json.dumps({'type': event, 'object': thing}).encode() + b'\n'
                self.wfile.write(b'%x\r\n%s\r\n' % (len(line), line))
            self.wfile.flush()
            known = now
            time.sleep(TICK)

    def do_GET(self):
        version, kind, name, _, query = self.target()
        if name:
            thing = load(kind, name)
            self.answer(thing) if thing else self.missing()
        elif query.get('watch'):
            try:
                self.watch(version, kind)
            except OSError:
                self.close_connection = True
        else:
            self.answer({'kind': kind + 'List', 'apiVersion': version,
                         'metadata': {'resourceVersion': '1'},
                         'items': list(everything(kind).values())})

    def do_POST(self):
        version, kind, name, sub, _ = self.target()
        thing = self.body()
        if sub == 'token':
            thing['status'] = {'token': 'a.token.of-the-tests',
                               'expirationTimestamp': '2099-01-01T00:00:00Z'}
            self.answer(thing, 201)
            return
        name = thing['metadata'].get('name') or 'unnamed'
        thing.update(kind=kind, apiVersion=version)
        if kind != 'Event':
            with lock:
                store(kind, name, thing)
        self.answer(thing, 201)

    def do_PUT(self):
        _, kind, name, _, _ = self.target()
        thing = self.body()
        with lock:
            store(kind, name, thing)
        self.answer(thing)

    def do_PATCH(self):
        _, kind, name, _, _ = self.target()
        patch = self.body()
        with lock:
            thing = load(kind, name)
            if thing:
                merge(thing, patch)
                store(kind, name, thing)
        self.answer(thing) if thing else self.missing()

    def do_DELETE(self):
        _, kind, name, _, _ = self.target()
        self.body()
        with lock:
            thing = load(kind, name)
            if thing:
                os.unlink(path_of(kind, name))
        self.answer(thing) if thing else self.missing()


if __name__ == '__main__':
    where = sys.argv[1]
    server = http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[2])),
                                             Handler)
    server.daemon_threads = True
    server.serve_forever()
