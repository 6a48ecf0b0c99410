# SPDX-License-Identifier: Apache-2.0
"""A proxy before one server that passes bytes on as they are, or does what faults.py has in store.

The Host header stays that of the proxy, which clients have signed; a server that verifies
signatures by it, as MinIO does, sees nothing unusual.
"""

import asyncio
import contextlib
import re
import socket
import struct
import threading
import time
from urllib.parse import unquote

from .faults import Action, Done, Drop

PIECE = 64 << 10
# Of what must not be seen anywhere else: signatures and tokens, as they go over the wire.
SIGNS = re.compile(
    rb"(?i)(?:signature=|sharedkey [^:\s]+:|bearer |security-token: *|[?&]sig=)([^\s,&]{8,})")


class _Head:
    """The first lines of a message, unchanged, and what they say about the body behind them."""

    def __init__(self, raw):
        self.raw = raw
        self.first, *lines = raw.decode("latin-1").split("\r\n")
        self.fields = {name.strip().lower(): value.strip()
                       for name, _, value in (line.partition(":") for line in lines if line)}
        self.words = self.first.split(" ", 2)

    @property
    def is_last(self):
        return self.fields.get("connection", "").lower() == "close"


async def _read_head(reader):
    """The next head, or None at the end of the connection."""
    try:
        return _Head(await reader.readuntil(b"\r\n\r\n"))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _read_exactly(reader, left):
    while left > 0:
        piece = await reader.read(min(left, PIECE))
        if not piece:
            raise Drop(reset=False)
        left -= len(piece)
        yield piece


async def _read_body(reader, head, is_answer):
    """Pieces of the body as they came, the framing of chunks among them."""
    if head.fields.get("transfer-encoding", "").lower() == "chunked":
        size = None
        while size != 0:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            yield line
            async for piece in _read_exactly(reader, size + 2):
                yield piece
    elif "content-length" in head.fields:
        async for piece in _read_exactly(reader, int(head.fields["content-length"])):
            yield piece
    elif is_answer:
        while piece := await reader.read(PIECE):
            yield piece


class _Exchange:
    """One request of a client and its answer."""

    def __init__(self, client, request):
        self.reader, self.writer = client
        self.request = request
        self.method, self.target = request.words[:2]

    async def drop_body(self):
        async for _ in _read_body(self.reader, self.request, is_answer=False):
            pass

    async def reply(self, status, body, headers):
        lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}",
                 *(f"{name}: {value}" for name, value in headers)]
        self.writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        self.writer.write(body if self.method != "HEAD" else b"")
        await self.writer.drain()

    async def until_client_leaves(self):
        while await self.reader.read(PIECE):
            pass
        raise Drop()

    async def run(self, server, action):
        """Pass the request on and the answer back; whether both connections can be used again."""
        reader, writer = server
        if self.request.fields.get("expect", "").lower() == "100-continue":
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # we take the body in any case
        await action.request(self)
        writer.write(self.request.raw)
        offset = 0
        async for piece in _read_body(self.reader, self.request, is_answer=False):
            writer.write(await action.upward(piece, offset))
            offset += len(piece)
            with contextlib.suppress(ConnectionError):  # it may have refused already
                await writer.drain()
        answer = await _read_head(reader)
        while answer is not None and answer.words[1].startswith("1"):
            answer = await _read_head(reader)  # that it may send the body, which came by itself
        if answer is None:
            raise Drop(reset=False)
        await action.answer(self)
        self.writer.write(answer.raw)
        if self.method != "HEAD" and answer.words[1] not in ("204", "304"):
            offset = 0
            async for piece in _read_body(reader, answer, is_answer=True):
                self.writer.write(await action.downward(piece, offset))
                offset += len(piece)
                await self.writer.drain()
        await self.writer.drain()
        return not answer.is_last and not self.request.is_last


class FaultProxy:
    """`with FaultProxy(server.port) as proxy: with proxy.meets(Fault(Reset())) as fault: …`

    requests: (method, target) of all that came. signs: all signatures and tokens that passed.
    """

    def __init__(self, port):
        self._server_port = port
        self._faults = []
        self._lock = threading.Lock()  # guards _faults, requests, signs
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._listener = None
        self._tasks = set()  # of connections; the loop itself holds them weakly
        self.port = None
        self.requests, self.signs = [], set()

    def __enter__(self):
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextlib.contextmanager
    def meets(self, *faults):
        """The requests of this time meet these; the first that fits one counts."""
        with self._lock:
            self._faults = list(faults)
        try:
            yield faults[0]
        finally:
            with self._lock:
                self._faults = []

    def count(self, method, target=""):
        """How many such requests came so far."""
        with self._lock:
            return sum(1 for one in self.requests
                       if re.fullmatch(method, one[0]) and re.search(target, one[1]))

    def await_rest(self, timeout=120):
        """Until nothing passes any more of what clients have sent that are gone."""
        deadline = time.monotonic() + timeout
        while self._tasks:
            assert time.monotonic() < deadline, "there is a client left"
            time.sleep(0.01)

    async def _listen(self):
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=4 * PIECE)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _close(self):
        self._listener.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _action(self, request):
        method, target = request.words[:2]
        with self._lock:
            self.requests.append((method, target))
            for sign in map(bytes.decode, SIGNS.findall(request.raw)):
                self.signs.update({sign, unquote(sign)})
            for fault in self._faults:
                if fault.meets(method, target):
                    return fault.action
        return Action()

    async def _serve(self, *client):
        """One connection of a client, with one of its own to the server."""
        server = None
        self._tasks.add(asyncio.current_task())
        try:
            while (request := await _read_head(client[0])) is not None:
                action = self._action(request)
                if server is None:
                    server = await asyncio.open_connection("127.0.0.1", self._server_port,
                                                           limit=4 * PIECE)
                with contextlib.suppress(Done):
                    if not await _Exchange(client, request).run(server, action):
                        break
        except Drop as drop:
            if drop.reset:
                _reset(client[1])
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass  # the proxy ends
        finally:
            for _, writer in filter(None, (client, server)):
                writer.close()
            self._tasks.discard(asyncio.current_task())


def _reset(writer):
    """Have the socket end with RST instead of FIN, also towards what was not yet read."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
