# SPDX-License-Identifier: Apache-2.0
"""gRPC calls frame by frame, with headers that no client's library would send."""

import socket

PREFACE, SETTINGS = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
DATA, HEADERS, RST_STREAM, GOAWAY = 0, 1, 3, 7
END_STREAM, END_HEADERS = 1, 4
STREAM, PATIENCE = 1, 60


def frame(kind, flags, payload):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + STREAM.to_bytes(4, "big")
            + payload)


def block(headers):
    """As literals that nobody is to keep, none of them longer than 126 bytes."""
    return b"".join(b"\x00%c%b%c%b" % (len(name), name, len(value), value)
                    for name, value in headers)


def read_frames(client):
    """(type, flags, payload) of the stream, up to its end or that of the connection."""
    with client.makefile("rb") as stream:
        while len(head := stream.read(9)) == 9:
            payload = stream.read(int.from_bytes(head[:3], "big"))
            kind, flags, number = head[3], head[4], int.from_bytes(head[5:], "big")
            if number == STREAM:
                yield kind, flags, payload
            if kind == GOAWAY or (number == STREAM and (
                    kind == RST_STREAM or (kind in (DATA, HEADERS) and flags & END_STREAM))):
                return


def call(address, headers, message=b"", trailers=()):
    """The messages of the answer; no message at all for one that was refused."""
    sent = PREFACE + SETTINGS + frame(HEADERS, END_HEADERS, block(headers))
    body = b"\x00" + len(message).to_bytes(4, "big") + message
    sent += frame(DATA, 0 if trailers else END_STREAM, body)
    if trailers:
        sent += frame(HEADERS, END_HEADERS | END_STREAM, block(trailers))
    got = b""
    with socket.create_connection(address.split(":"), timeout=PATIENCE) as client:
        client.sendall(sent)
        try:
            for kind, _, payload in read_frames(client):
                got += payload if kind == DATA else b""
        except ConnectionError:
            pass  # that is a refusal, too
    messages = []
    while got:
        size = int.from_bytes(got[1:5], "big")
        messages.append(got[5:5 + size])
        got = got[5 + size:]
    return messages
