# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between a program and a server, and which requests meet it; see proxy.py.

An action is called at the points of an exchange that it cares about. What it raises ends the
exchange: Drop without a word, Done when it has answered by itself.
"""

import asyncio
import random
import re
import threading
import time
from email.utils import formatdate

S3_ERROR = "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>1</RequestId></Error>"
AZURE_ERROR = "<Error><Code>{code}</Code><Message>{message}</Message></Error>"


class Drop(Exception):
    """The connection ends here: in order (FIN), or as if the other side had died (RST)."""

    def __init__(self, reset=True):
        super().__init__("dropped")
        self.reset = reset


class Done(Exception):
    """The answer was given; the server is never asked."""


class Action:
    """Nothing goes wrong."""

    async def request(self, exchange):
        """The head of a request came, nothing was passed on."""

    async def upward(self, piece, offset):
        """A piece of the request's body; what is passed on instead."""
        return piece

    async def answer(self, exchange):
        """The server has done what it was asked for; nothing of its answer was passed on."""

    async def downward(self, piece, offset):
        """A piece of the answer's body; what is passed on instead."""
        return piece


class Reset(Action):
    """The request never reaches the server."""

    async def request(self, exchange):
        raise Drop()


class LoseAnswer(Action):
    """The request is served and nobody hears of it."""

    def __init__(self, reset=True):
        self.reset = reset

    async def answer(self, exchange):
        raise Drop(self.reset)


class CutRequest(Action):
    """The server gets so many bytes of the body, and then no more."""

    def __init__(self, at):
        self.at = at

    async def upward(self, piece, offset):
        if offset + len(piece) > self.at:
            raise Drop()
        return piece


class CutAnswer(Action):
    """The client gets so many bytes of the body, and then an orderly end."""

    def __init__(self, at):
        self.at = at

    async def downward(self, piece, offset):
        if offset >= self.at:
            raise Drop(reset=False)
        return piece[:self.at - offset]


class Corrupt(Action):
    """One byte of a body becomes another: of the answer's, or of the request's."""

    def __init__(self, at=0, sent=False):
        self.at, self.sent = at, sent

    def _flip(self, piece, offset):
        if not offset <= self.at < offset + len(piece):
            return piece
        flipped = bytearray(piece)
        flipped[self.at - offset] ^= 0x20
        return bytes(flipped)

    async def upward(self, piece, offset):
        return self._flip(piece, offset) if self.sent else piece

    async def downward(self, piece, offset):
        return piece if self.sent else self._flip(piece, offset)


class Stall(Action):
    """Nothing more comes: from the beginning; once the request is served; or after so many bytes
    of the answer's body.
    """

    def __init__(self, served=False, at=None):
        self.served, self.at = served, at

    async def request(self, exchange):
        if not self.served and self.at is None:
            await exchange.until_client_leaves()

    async def answer(self, exchange):
        if self.served:
            await exchange.until_client_leaves()

    async def downward(self, piece, offset):
        if self.at is not None and offset + len(piece) > self.at:
            await asyncio.sleep(3600)
        return piece


class Delay(Action):
    """It takes longer."""

    def __init__(self, seconds):
        self.seconds = seconds

    async def request(self, exchange):
        await asyncio.sleep(self.seconds)


class Slow(Action):
    """The body of the answer trickles in."""

    def __init__(self, bytes_per_second):
        self.rate = bytes_per_second

    async def downward(self, piece, offset):
        await asyncio.sleep(len(piece) / self.rate)
        return piece


class Refuse(Action):
    """An answer of the server's kind that is not its own. headers: (name, value), where the value
    may be a function that makes it when the time has come.
    """

    def __init__(self, status, body, headers=()):
        self.status, self.body, self.headers = status, body.encode(), headers

    async def request(self, exchange):
        await exchange.drop_body()
        await exchange.reply(self.status, self.body,
                             [(name, value() if callable(value) else value)
                              for name, value in self.headers])
        raise Done


def s3_error(status, code, message="as the test wants it", headers=()):
    return Refuse(status, S3_ERROR.format(code=code, message=message),
                  [("Content-Type", "application/xml"), *headers])


def azure_error(status, code, message="as the test wants it", headers=()):
    return Refuse(status, AZURE_ERROR.format(code=code, message=message),
                  [("x-ms-error-code", code), *headers])


def in_a_second():
    """A date for Retry-After."""
    return formatdate(time.time() + 1, usegmt=True)


class Fault:
    """An action, and the requests that meet it: by method (a regular expression for all of it) and
    by target (one that is searched in path and query as they were sent).

    The first `skip` of them pass, the next `times` are hit (None: all). With a chance below 1 the
    dice of a fixed seed decide which of those.
    """

    def __init__(self, action, method=".*", target="", *, skip=0, times=1, chance=1.0):
        self.action = action
        self._method, self._target = re.compile(method), re.compile(target)
        self._skip, self._times = skip, times
        self._chance, self._dice = chance, random.Random(4711)
        self._met = threading.Event()
        self.hits = 0

    def meets(self, method, target):
        """Whether this request is hit; counts it. For the proxy's thread."""
        if not self._method.fullmatch(method) or not self._target.search(target):
            return False
        if self._skip > 0:
            self._skip -= 1
            return False
        if self._times is not None and self.hits >= self._times:
            return False
        if self._dice.random() >= self._chance:
            return False
        self.hits += 1
        self._met.set()
        return True

    def wait(self, timeout=120):
        """Until a request was hit."""
        assert self._met.wait(timeout), f"nothing asks for {self._target.pattern}"
