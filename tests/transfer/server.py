#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A web server with the moods of real ones, and a proxy, for tests of downloads.

    server.py FOLDER [CERTIFICATE KEY]
                        serves it on a free port of the loopback, by TLS with a
                        certificate, writes the port to standard output and a
                        line for each request to FOLDER/requests

What a path starts with is the mood:
    /plain/F      as it is: ETag, Last-Modified, If-None-Match, Range, If-Range
    /weak/F       with a weak ETag only
    /none/F       without any of these
    /norange/F    with an ETag, but always the whole file
    /busy/N/F     503 for the first N requests
    /gone/F       410
    /cut/N/F      the connection ends after N bytes, once
    /swap/N/F     likewise, and the next answer is of another file, F.new
    /drip/N/F     N bytes a second, the first time
    /liar/F       answers a Range with the wrong part
    /login/F      asks for the user u with the password p
    /to/URL       sends the client there
    /huge/F       says nothing of its length and never ends
A request with a whole URL is one to a proxy: it asks for proxy-user with the
password proxy-password if the folder has a file `proxy-login`.
"""
import base64
import hashlib
import http.server
import os
import ssl
import sys
import threading
import time

folder = sys.argv[1]
seen = {}
lock = threading.Lock()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def count(self, what):
        with lock:
            seen[what] = seen.get(what, 0) + 1
            return seen[what]

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self, data, speed):
        try:
            for at in range(0, len(data), 20):
                self.wfile.write(data[at:at + 20])
                time.sleep(20 / speed)
        except OSError:
            self.close_connection = True

    def send_part(self, data, headers, first, limit, speed):
        status = 206 if first else 200
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        if speed:
            return self.drip(data[first:], speed)
        self.wfile.write(data[first:] if limit is None else data[first:first + limit])
        if limit is not None:
            self.wfile.flush()
            self.close_connection = True

    def serve(self, mood, name, limit=None, speed=None):
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            return self.answer(404)
        with open(path, "rb") as f:
            data = f.read()
        etag = '"' + hashlib.sha1(data).hexdigest() + '"'
        date = self.date_time_string(int(os.stat(path).st_mtime))
        headers = {"none": [], "weak": [("ETag", "W/" + etag)]}.get(mood, [("ETag", etag), ("Last-Modified", date)])
        if mood in ("plain", "login") and self.headers.get("If-None-Match") == etag:
            return self.answer(304, headers)
        first = self.headers.get("Range", "bytes=0-")[6:].split("-")[0]
        first = int(first) if mood != "norange" else 0
        if self.headers.get("If-Range", etag) not in (etag, date):
            first = 0
        if first >= len(data) > 0:
            return self.answer(416)
        if mood == "liar" and first:
            first -= 1
        self.send_part(data, headers, first, limit, speed)

    def endless(self):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for _ in range(1 << 14):
                self.wfile.write(b"x" * (1 << 16))
        except OSError:
            pass

    def do_GET(self):
        with lock, open(os.path.join(folder, "requests"), "a") as f:
            print(self.path, self.headers.get("Range", "-"), self.headers.get("Authorization", "-"),
                  self.headers.get("Proxy-Authorization", "-"), file=f)
        path = self.path
        if not path.startswith("/"):
            if os.path.exists(os.path.join(folder, "proxy-login")) and \
                    self.headers.get("Proxy-Authorization") != basic("proxy-user", "proxy-password"):
                return self.answer(407, [("Proxy-Authenticate", 'Basic realm="proxy"')])
            path = "/" + path.split("/", 3)[3]
        _, mood, rest = path.split("/", 2)
        if mood == "to":
            return self.answer(302, [("Location", rest)])
        if mood == "gone":
            return self.answer(410)
        if mood == "huge":
            return self.endless()
        if mood == "login" and self.headers.get("Authorization") != basic("u", "p"):
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="r"')])
        if mood in ("busy", "cut", "swap", "drip"):
            n, rest = rest.split("/", 1)
            turn = self.count(path)
            if mood == "busy" and turn <= int(n):
                return self.answer(503, [("Retry-After", "0")], b"not now")
            if mood == "cut" and turn == 1 or mood == "swap" and turn == 1:
                return self.serve("none" if mood == "swap" else "plain", rest, int(n))
            if mood == "drip" and turn == 1:
                return self.serve("plain", rest, speed=int(n))
            if mood == "swap" and turn == 2:
                return self.serve("none", rest + ".new")
        self.serve(mood, rest)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
