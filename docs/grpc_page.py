#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""grpc_page.py OUT: docs/reference/grpc.md, made of the .proto files below core/grpc/proto."""

import re
import sys
import textwrap
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
PROTOS = TOP / "core" / "grpc" / "proto"
FILES = ["bakplane/v1/jobs.proto", "backup.proto", "grpc/health/v1/health.proto",
         "grpc/reflection/v1/reflection.proto", "grpc/reflection/v1alpha/reflection.proto"]
STARTS = re.compile(r"(service|message|enum|oneof) (\w+) \{(\})?$")
RPC = re.compile(r"rpc (\w+)\((stream )?(\w+)\)\s*returns \((stream )?(\w+)\);")
FIELD = re.compile(r"(repeated )?(map<[^>]+>|[\w.]+) (\w+) = (\d+);")
VALUE = re.compile(r"(\w+) = (\d+);")

HEAD = """
# gRPC

<!-- made by docs/grpc_page.py from core/grpc/proto -->

A [server](server.md) speaks gRPC on `server.grpc_listen`, 127.0.0.1:8081 unless it says otherwise. Clients are made from
the files below `core/grpc/proto`, or ask the server for them (reflection). [Examples](../examples/README.md) are in Go and
Python.

## Calls

- **Token.** In the metadata of each call: `authorization: Bearer TOKEN`. Without a valid one the status is
  `UNAUTHENTICATED`, with one of the role `read` for what starts, cancels or removes `PERMISSION_DENIED`. Only health needs
  none.
- **TLS.** With `server.tls_cert` and `server.tls_key` there is nothing else. With `server.tls_client_ca` clients need a
  certificate from it, and the token as well.
- **Request ID.** The answer's metadata has `x-request-id`, and so have lines of the server's log: the client's own
  (`x-request-id` or `request_id`, at most 63 letters, digits, `-`, `_` and `.`), else one that is made.
- **Limits.** A message has at most 4 MiB, and may not be compressed; a connection has 100 calls at a time, a server 1024,
  of which 64 wait for jobs and 64 watch; health has room of its own, 64 calls of which 16 watch. Beyond that it is
  `RESOURCE_EXHAUSTED`. A message has to be there within 30 s. A connection without a call is closed after 30 s. There is
  no limit on the number of connections, not even of those without a token: they share 256 MiB, and
  [the server's descriptors](server.md#limits).
- **Who leaves** ends the call and never a job, also when the deadline of a call passes. When the server ends, what waits
  for a job answers at once, and streams end with `UNAVAILABLE`.
- **Messages.** What has no field here is ignored; a field of another wire type, a number out of its range, text that is
  not UTF-8, more than 65 536 values or 16 levels are `INVALID_ARGUMENT`, and nothing is done.

| status | when |
| --- | --- |
| `INVALID_ARGUMENT` | the message says what cannot be |
| `NOT_FOUND`, `ALREADY_EXISTS` | the job; another one that is in the way |
| `FAILED_PRECONDITION` | not now, or not by this server |
| `RESOURCE_EXHAUSTED` | too many or too large; no space |
| `UNAVAILABLE` | ask again later; the server ends |
| `DATA_LOSS` | a record cannot be read |
| `INTERNAL` | anything else; the text says why |

The service `milvus.proto.backup.MilvusBackupService` has its own way: what was understood is `OK`, and failures are in
`code` and `msg` of the answer, as in [milvus-backup's REST](../compat.md). The metadata `request_id` becomes `requestId`.
"""


class Block:
    """A service, message or enum: what it says of itself, and its lines."""

    def __init__(self, kind, name, says):
        self.kind, self.name, self.says, self.rows = kind, name, says, []


def blocks_of(text):
    """Those of a file in their order; what lies in another one comes before it."""
    text = re.sub(r"\)\s+returns", ") returns", text)
    stack, done, says = [], [], []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("//"):
            says.append(line[2:].strip())
            continue
        start = STARTS.match(line)
        if start:
            block = Block(start[1], start[2], " ".join(says))
            if start[3]:
                done.append(block)
            elif start[1] == "oneof":
                stack.append(stack[-1])
            else:
                stack.append(block)
        elif line == "}":
            block = stack.pop()
            if block not in stack:
                done.append(block)
        elif stack:
            pattern = {"service": RPC, "enum": VALUE}.get(stack[-1].kind, FIELD)
            found = pattern.match(line)
            if found:
                stack[-1].rows.append((*found.groups(), " ".join(says)))
        says = []
    return done


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


def service_lines(block):
    rows = [(f"`{name}`", f"{asks or ''}`{request}`", f"{tells or ''}`{answer}`", says)
            for name, asks, request, tells, answer, says in block.rows]
    yield from table(("method", "takes", "gives", ""), rows)


def message_lines(block):
    rows = [(number, f"`{name}`", f"{many or ''}`{kind}`", says)
            for many, kind, name, number, says in block.rows]
    yield f"### {block.name}"
    yield ""
    if block.says:
        yield block.says
        yield ""
    if not rows:
        yield "Nothing is in it."
        yield ""
    elif any(row[3] for row in rows):
        yield from table(("", "field", "type", ""), rows)
    else:
        yield from table(("", "field", "type"), [row[:3] for row in rows])


def enum_lines(blocks):
    rows = [(f"`{block.name}`", ", ".join(f"{name} {number}" for name, number, _ in block.rows))
            for block in blocks]
    yield from table(("enumeration", "values"), rows)


def file_lines(name):
    text = (PROTOS / name).read_text(encoding="utf-8")
    package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)[1]
    says = re.search(r"SPDX[^\n]*\n//\n((?://.*\n)+)", text)[1]
    blocks = blocks_of(text)
    yield f"## {package}"
    yield ""
    yield f"`core/grpc/proto/{name}`"
    yield ""
    yield from textwrap.wrap(" ".join(re.findall(r"// ?(.*)", says)), 120, break_on_hyphens=False)
    yield ""
    for block in blocks:
        if block.kind == "service":
            yield f"Service `{package}.{block.name}`"
            yield ""
            yield from service_lines(block)
    enums = [block for block in blocks if block.kind == "enum"]
    if enums:
        yield from enum_lines(enums)
    if not name.startswith("grpc/"):  # those are described elsewhere
        for block in blocks:
            if block.kind == "message":
                yield from message_lines(block)


def main(out):
    lines = [HEAD.strip(), ""]
    for name in FILES:
        lines += file_lines(name)
    Path(out).write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
