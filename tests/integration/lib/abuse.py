# SPDX-License-Identifier: Apache-2.0
"""Requests that no honest client sends, from a seed: always the same ones.

Each is bytes for one connection. None of them may start anything: those that have a token ask for
nothing that a server should do.
"""

import json
import random

from integration.lib.abuse_v1 import AbuseV1

HOST = b"Host: 127.0.0.1\r\n"
PATHS = ["/api/v2/jobs", "/api/v2/backups", "/api/v2/backups/b", "/api/v2/backups/b/restore",
         "/api/v2/jobs/20261126-014500-2e71f3", "/api/v2/jobs/x/cancel", "/api/v2/plugins",
         "/api/v2/storages", "/api/v2/health", "/api/v2/ready", "/api/v2/docs", "/api/v1/create",
         "/api/v1/restore", "/api/v1/delete", "/api/v1/list", "/api/v1/check", "/metrics", "/"]
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PATCH"]
JUNK = ["//", "/./", "/../", "/..;/", "%2e%2e/", "%2f", "%5c", "\\", "%00", "%", "%zz", "%c0%af",
        "%ff", "\u00e9", ";", "#", "?", "&", "=", "+", "%0d%0aX: y", "%25", "*", "~", "'", "\""]
# Where a body starts something, and nothing without one.
TO_START = [b"/api/v2/jobs", b"/api/v1/create", b"/api/v1/restore"]
STARTS = [b'{"verb":"create","name":"evil"}', b'{"verb":"delete","name":"b","force":true}',
          b'{"verb":"restore","name":"b"}', b'{"backup_name":"evil"}', b"{}"]


class Abuse:
    """token: one that is valid; only some requests have it."""

    def __init__(self, seed, token, max_head, max_body):
        self.random = random.Random(seed)
        self.token, self.max_head, self.max_body = token, max_head, max_body
        self.v1 = AbuseV1(self.random)
        self.kinds = [self.noise, self.request_line, self.target, self.header, self.host,
                      self.authorization, self.length, self.chunks, self.body, self.query,
                      self.body_v1, self.query_v1, self.body_v1, self.pipeline, self.cut_off]

    def requests(self, count):
        """`count` pairs (has a valid token, bytes)."""
        for number in range(count):
            yield self.kinds[number % len(self.kinds)]()

    # -- pieces

    def bytes(self, least, most):
        return self.random.randbytes(self.random.randint(least, most))

    def text(self, least, most):
        return bytes(self.random.randint(33, 126) for _ in range(self.random.randint(least, most)))

    def path(self):
        return self.random.choice(PATHS).encode()

    def where(self):
        return self.random.choice(TO_START)

    def crooked_path(self):
        parts = list(self.random.choice(PATHS))
        for _ in range(self.random.randint(1, 4)):
            parts.insert(self.random.randint(0, len(parts)), self.random.choice(JUNK))
        return "".join(parts).encode()

    def start(self, method, path, *headers, body=b""):
        """Would start something if its sender was let in."""
        head = b"".join(header + b"\r\n" for header in headers)
        return method + b" " + path + b" HTTP/1.1\r\n" + head + b"\r\n" + body

    def bearer(self):
        return b"Authorization: Bearer " + self.token.encode()

    # -- kinds

    def noise(self):
        """No HTTP at all, or nearly."""
        sent = self.random.choice([
            lambda: self.bytes(1, 400), lambda: self.text(1, 400), lambda: b"\r\n" * 50,
            lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.bytes(9, 50),
            lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + self.bytes(100, 300),
            lambda: b"GET /api/v2/jobs\r\n\r\n", lambda: b"\0" * self.random.randint(1, 5000)])()
        return False, sent

    def request_line(self):
        method = self.random.choice([
            b"get", b"GET\0", b"", b"G" * 5000, b"POST GET", b"\xff\xfe", self.text(1, 30),
            self.random.choice(METHODS).encode()])
        version = self.random.choice([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2", b"HTTP/9.9",
                                      b"http/1.1", b"HTTP/1.1 x", b"", self.text(1, 20)])
        blank = self.random.choice([b" ", b"  ", b"\t", b"\x0b"])
        end = self.random.choice([b"\r\n", b"\n", b"\r", b"\r\r\n"])
        return False, (method + blank + self.path() + blank + version + end + HOST.rstrip() + end + end
                       + self.random.choice(STARTS))

    def target(self):
        path = self.random.choice([
            self.crooked_path, self.crooked_path, self.crooked_path,
            lambda: b"http://evil.example" + self.path(), lambda: b"*", lambda: b"evil:80",
            lambda: b"/" * self.random.randint(2, 3000), lambda: b"/a" * self.random.randint(17, 900),
            lambda: self.path() + b"/" + self.bytes(1, 60).replace(b" ", b"").replace(b"\n", b""),
            lambda: b"/" + b"x" * (self.max_head + self.random.randint(0, 9000))])()
        method = self.random.choice(METHODS).encode()
        body = self.random.choice(STARTS)
        return False, self.start(method, path, HOST.strip(), b"Content-Length: %d" % len(body),
                                 body=body)

    def header(self):
        line = self.random.choice([
            lambda: b"no colon", lambda: b": no name", lambda: b"X Y: z", lambda: b" folded: x",
            lambda: b"X: a\r\n b\r\n\tc", lambda: b"X: " + self.bytes(1, 200),
            lambda: b"X-\0: y", lambda: b"X: \0y", lambda: b"\xff\xff: " + self.text(1, 9),
            lambda: b"\r\n".join(b"X-%d: y" % n for n in range(self.random.randint(50, 3000))),
            lambda: b"X: " + b"y" * (self.max_head + self.random.randint(-200, 5000)),
            lambda: b"Expect: 100-continue", lambda: b"Expect: the-unexpected",
            lambda: b"Upgrade: h2c\r\nConnection: upgrade\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
            lambda: b"Connection: " + self.text(1, 40), lambda: b"Cookie: token=" + self.text(1, 40),
            lambda: b"Range: bytes=0-18446744073709551615", lambda: b"TE: trailers, chunked;q=9"])()
        return False, self.start(self.random.choice(METHODS).encode(), self.path(), HOST.strip(), line)

    def host(self):
        """With a good token, but to somebody else."""
        name = self.random.choice([
            b"evil.example", b"localhost.evil", b"127.0.0.1@evil", b"127.0.0.1:80:80", b"[::1", b"::1]",
            b"[evil]", b"127.0.0.1/", b"127.0.0.1 evil", b"", b"0x7f.1", b"127.1", b"\xff",
            b"localhost:", b"localhost:-1", b"a" * 3000, b"127.0.0.1\r\nHost: evil"])
        body = self.random.choice(STARTS)
        return True, self.start(b"POST", self.where(), b"Host: " + name, self.bearer(),
                                b"Content-Length: %d" % len(body), body=body)

    def authorization(self):
        good = self.token.encode()
        value = self.random.choice([
            lambda: b"Bearer", lambda: b"Bearer ", lambda: b"Bearer null", lambda: b"Basic Og==",
            lambda: b"Bearer " + good[:-1], lambda: b"Bearer " + good + b"x",
            lambda: b"Bearer " + good.swapcase(), lambda: b"Token " + good, lambda: good,
            lambda: b"Bearer x, Bearer " + good, lambda: b"Bearer " + self.text(1, 90),
            lambda: b"Bearer " + b"A" * 20000, lambda: b"Bearer " + good + b"\r\nAuthorization: x",
            lambda: b"Bearer x\r\nAuthorization: Bearer " + good, lambda: b"Bearer " + self.bytes(1, 60)])()
        body = self.random.choice(STARTS)
        return False, self.start(b"POST", self.path(), HOST.strip(), b"Authorization: " + value,
                                 b"Content-Length: %d" % len(body), body=body)

    def length(self):
        """A body whose length is no good, with a token: what comes is no request in any case."""
        value = self.random.choice([
            b"-1", b"+5", b"0x10", b"1e3", b"18446744073709551616", b"9223372036854775807", b"4 4",
            b"", b"five", b"5, 5", b"5\r\nContent-Length: 6", b"5\r\nTransfer-Encoding: chunked",
            b"\x005", b"%d" % (self.max_body + 1), b"%d" % self.random.randint(100, 10**12)])
        return True, self.start(b"POST", self.where(), HOST.strip(), self.bearer(),
                                b"Content-Length: " + value, body=b"[1,2]")

    def chunks(self):
        coding = self.random.choice([b"chunked", b"Chunked", b" chunked", b"chunked, gzip", b"xchunked",
                                     b"gzip, chunked", b"chunked\r\nTransfer-Encoding: identity",
                                     b"chunked\r\nContent-Length: 5"])
        body = self.random.choice([
            lambda: b"5\r\n[1,2]\r\n0\r\n\r\n", lambda: b"FFFFFFFFFFFFFFFFF\r\nx",
            lambda: b"-5\r\n[1,2]\r\n0\r\n\r\n", lambda: b"5;" + b"e" * 5000 + b"\r\n[1,2]\r\n0\r\n\r\n",
            lambda: b"5\r\n[1,2]0\r\n\r\n", lambda: b"5\n[1,2]\n0\n\n", lambda: b"zz\r\n",
            lambda: b"0\r\nX: y\r\n\r\n", lambda: b"7fffffffffffffff\r\n" + self.bytes(1, 90),
            lambda: b"1\r\n[\r\n" * self.random.randint(1, 200), lambda: self.bytes(1, 300)])()
        return True, self.start(b"POST", self.where(), HOST.strip(), self.bearer(),
                                b"Transfer-Encoding: " + coding, body=body)

    def value(self, depth=0):
        """Any JSON."""
        kind = self.random.randint(0, 7 if depth < 4 else 5)
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self.random.randint(0, 4))]
        if kind == 7:
            return {self.text(0, 9).decode(): self.value(depth + 1)
                    for _ in range(self.random.randint(0, 4))}
        return [None, True, 0.5, self.random.randint(-10**18, 10**18), self.text(0, 60).decode(),
                "\u0001\u2028\ud83d\ude00"][kind]

    def body(self):
        """Whole and with a token, but no request: a member that nobody knows is always there."""
        members = ["verb", "name", "storage", "filter", "resume", "settings", "to", "keep_last"]
        request = {member: self.value() for member in self.random.sample(members, 3)}
        request["no such member"] = self.value()
        huge = b"x" * (self.max_body + self.random.randint(1, 4000))
        rare = self.random.randint(0, 60) == 0
        sent = huge if rare else self.random.choice([
            lambda: json.dumps(request).encode(), lambda: json.dumps(request).encode("utf-16"),
            lambda: json.dumps(request).encode()[:-1], lambda: b"[" * self.random.randint(1, 20000),
            lambda: b'{"a":' * self.random.randint(1, 5000), lambda: b'{"verb":"\xff\xfe"}',
            lambda: b'{"verb":"create","verb":"create"}', lambda: b'{"verb":"create\\u0000"}',
            lambda: b'{"verb":"create",}', lambda: b'{"verb":"create"} {}', lambda: self.bytes(1, 900),
            lambda: b'{"verb":' + b"9" * 5000 + b"}", lambda: b'{"verb":1e999}'])()
        path = self.random.choice([b"/api/v2/jobs", b"/api/v2/backups", b"/api/v2/backups/b/restore",
                                   b"/api/v2/backups/b/verify", b"/api/v2/backups/b/copy"])
        return True, self.start(b"POST", path, HOST.strip(), self.bearer(),
                                b"Content-Length: %d" % len(sent), body=sent)

    def query(self):
        """Parameters, with a token."""
        names = [b"limit", b"cursor", b"state", b"status", b"storage", b"wait", b"detail", b"x", b""]
        pairs = [self.random.choice(names) + b"=" + self.random.choice(
            [b"", b"-1", b"%00", b"%zz", b"99999999999999999999", b"..%2f..%2fetc", self.text(1, 9),
             b"%F0%9F%98%80", b"0", b"a" * 3000]) for _ in range(self.random.choice([1, 2, 40]))]
        path = self.random.choice([b"/api/v2/jobs", b"/api/v2/backups", b"/api/v2/storages",
                                   b"/api/v2/jobs/20261126-014500-2e71f3", b"/api/v2/backups/none"])
        query = b"&".join(pairs).replace(b" ", b"")
        return True, self.start(b"GET", path + b"?" + query, HOST.strip(), self.bearer())

    def body_v1(self):
        """For the other tool's routes, with a token: see abuse_v1.py."""
        operation = self.random.choice(["create", "restore", "create", "restore",
                                        "restore_secondary"])
        body = self.v1.body(operation)
        named = self.random.choice([
            lambda: [], lambda: [b"request_id: " + self.text(1, 300)],
            lambda: [b"request_id: " + bytes(self.random.choices(range(128, 256), k=40))]])()
        return True, self.start(b"POST", b"/api/v1/" + operation.encode(), HOST.strip(),
                                self.bearer(), *named, b"Content-Length: %d" % len(body), body=body)

    def query_v1(self):
        """Of what is not there, with a token."""
        method, path = self.random.choice([
            (b"GET", b"get_backup"), (b"GET", b"get_restore"), (b"GET", b"list"),
            (b"DELETE", b"delete")])
        names = [b"backup_name", b"backup_id", b"id", b"collection_name", b"bucket_name", b"path",
                 b"without_detail", b"requestId", b"x", b""]
        values = [b"", b"-1", b"none", b"%00", b"%zz", b"%ff", b"%c0%af", b"..%2f..%2fetc",
                  b"%0d%0a", b"%F0%9F%98%80", b"a%2Cb", b"*", b"a" * 3000, self.text(2, 9)]
        pairs = [name + b"=" + self.random.choice(values)
                 for name in self.random.sample(names, self.random.randint(0, 3))]
        return True, self.start(method, b"/api/v1/" + path + b"?" + b"&".join(pairs), HOST.strip(),
                                self.bearer())

    def pipeline(self):
        """A request hidden behind another one, whose token is not for it."""
        body = self.random.choice(STARTS)
        hidden = self.start(b"POST", self.where(), HOST.strip(),
                            b"Content-Length: %d" % len(body), body=body)
        first = self.start(b"GET", b"/api/v2/jobs", HOST.strip(), self.bearer(), self.random.choice(
            [b"Content-Length: 0", b"Content-Length: %d" % len(hidden), b"X: y",
             b"Content-Length: 0\r\nContent-Length: %d" % len(hidden)]))
        return True, first + hidden * self.random.randint(1, 5)

    def cut_off(self):
        """The begin of a good request without a token; the client goes."""
        whole = self.start(b"POST", self.path(), HOST.strip(), b"Content-Length: 31", body=STARTS[0])
        return False, whole[:self.random.randint(0, len(whole))]
