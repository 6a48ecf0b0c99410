# SPDX-License-Identifier: Apache-2.0
"""A folder, shown as a bucket of S3 to a program that only lists and reads.

Just what milvus-backup asks for; signatures are not looked at, nothing can be written.
"""

import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

LIST = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name>\
<Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount><MaxKeys>1000</MaxKeys>\
<IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"""
ENTRY = ("<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
         '<ETag>"{size}"</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>')
PREFIX = "<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Quiet."""

    def answer(self, status, body=b"", content_type="application/xml", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):  # pylint: disable=invalid-name
        self.do_GET()

    def do_GET(self):  # pylint: disable=invalid-name
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        _, _, key = unquote(parts.path).lstrip("/").partition("/")
        if key:
            self.object(key)
        elif "location" in query:
            self.answer(200, b"<LocationConstraint/>")
        else:
            self.list(query)

    def object(self, key):
        path = self.server.folder / key
        if not path.is_file():
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        self.answer(200, path.read_bytes(), "application/octet-stream",
                    [("ETag", '"1"'), ("Last-Modified", formatdate(usegmt=True))])

    def list(self, query):
        prefix = query.get("prefix", [""])[0]
        delimiter = query.get("delimiter", [""])[0]
        entries, prefixes = [], set()
        for path in sorted(self.server.folder.rglob("*")):
            key = str(path.relative_to(self.server.folder))
            if not path.is_file() or not key.startswith(prefix):
                continue
            head, slash, _ = key[len(prefix):].partition("/") if delimiter else (key, "", "")
            if slash:
                prefixes.add(prefix + head + "/")
            else:
                entries.append(ENTRY.format(key=escape(key), size=path.stat().st_size))
        entries += [PREFIX.format(key=escape(key)) for key in sorted(prefixes)]
        body = LIST.format(bucket="bucket", prefix=escape(prefix), count=len(entries),
                           entries="".join(entries))
        self.answer(200, body.encode())


class BucketServer(ThreadingHTTPServer):
    """`with BucketServer(folder) as bucket`: any bucket name and any keys will do."""

    daemon_threads = True
    access_key, secret_key = "user", "password"

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = Path(folder)
        self.port = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self._thread.join()
        self.server_close()
