# SPDX-License-Identifier: Apache-2.0
"""What tests of faults rely on: the proxy changes nothing, but for what it is told."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services.faults import (Corrupt, CutAnswer, CutRequest, Delay, Fault, LoseAnswer, Reset, Slow,
                             Stall, in_a_second, s3_error)
from services.proxy import FaultProxy

BODY = bytes(range(256)) * 1000


class Echo(BaseHTTPRequestHandler):
    """Answers with what it got, and with the Host that it saw."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Quiet."""

    def do_PUT(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Host", self.headers["Host"])
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as made:
        made.bodies = []
        threading.Thread(target=made.serve_forever, args=[0.02], daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def proxy(server):
    with FaultProxy(server.server_address[1]) as made:
        yield made


@pytest.fixture
def client(proxy):
    made = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    yield made
    made.close()


def put(client, path="/a", body=BODY, **headers):
    client.request("PUT", path, body, headers)
    return client.getresponse()


def test_passes_everything_on(client, proxy):
    for path in ("/a?b=%20c", "/d"):
        answer = put(client, path)
        assert answer.status == 200 and answer.read() == BODY
        assert answer.headers["X-Host"] == f"127.0.0.1:{proxy.port}"
    assert proxy.requests == [("PUT", "/a?b=%20c"), ("PUT", "/d")]


def test_asks_for_a_body_that_waits_to_be_asked_for(client, server):
    answer = put(client, Expect="100-continue")
    assert answer.status == 200 and answer.read() == BODY
    assert put(client).read() == BODY  # the connection is as good as before
    assert server.bodies == [BODY, BODY]


@pytest.mark.parametrize("action, arrives", [
    (Reset(), False), (LoseAnswer(), True), (LoseAnswer(reset=False), True),
    (CutRequest(100_000), False)])
def test_no_answer(client, proxy, server, action, arrives):
    with proxy.meets(Fault(action)), pytest.raises((ConnectionError, http.client.HTTPException)):
        put(client)
    assert (server.bodies == [BODY]) == arrives


def test_half_an_answer(client, proxy):
    with proxy.meets(Fault(CutAnswer(1000))), pytest.raises(http.client.IncompleteRead) as caught:
        put(client).read()
    assert caught.value.partial == BODY[:1000]


@pytest.mark.parametrize("sent", [False, True])
def test_one_other_byte(client, proxy, server, sent):
    with proxy.meets(Fault(Corrupt(at=100_000, sent=sent))):
        body = put(client).read()
    assert [at for at, byte in enumerate(body) if byte != BODY[at]] == [100_000]
    assert (server.bodies == [BODY]) == (not sent)


def test_refusal(client, proxy, server):
    with proxy.meets(Fault(s3_error(503, "SlowDown", headers=[("Retry-After", in_a_second)]))):
        answer = put(client)
        assert answer.status == 503 and b"<Code>SlowDown</Code>" in answer.read()
        assert answer.headers["Retry-After"].endswith(" GMT")
        assert put(client).read() == BODY, "the connection goes on"
    assert server.bodies == [BODY]


@pytest.mark.parametrize("action", [Stall(), Stall(served=True), Stall(at=1000)])
def test_stall_ends_with_the_client_or_the_proxy(client, proxy, action):
    client.timeout = 0.3
    with proxy.meets(Fault(action)) as fault:
        with pytest.raises(TimeoutError):
            put(client).read()
        fault.wait()  # the client may give up before the proxy has looked
    assert fault.hits == 1


@pytest.mark.parametrize("action", [Delay(0.01), Slow(100 << 20)])
def test_late_and_whole(client, proxy, action):
    with proxy.meets(Fault(action)) as fault:
        assert put(client).read() == BODY
    assert fault.hits == 1


def test_who_is_hit():
    some = Fault(Reset(), "PUT|POST", r"/b\?", skip=1, times=2)
    asked = [("GET", "/b?"), ("PUT", "/b"), ("PUT", "/b?"), ("POST", "/b?"), ("PUT", "/b?x"),
             ("PUT", "/b?")]
    assert [some.meets(*one) for one in asked] == [False, False, False, True, True, False]
    draws = [[fault.meets("GET", "/") for _ in range(100)]
             for fault in (Fault(Reset(), times=None, chance=0.25) for _ in range(2))]
    assert draws[0] == draws[1] and 10 < sum(draws[0]) < 40


def test_remembers_what_must_not_be_seen(client, proxy):
    put(client, "/a?sig=abcdefgh%3D&b=1", Authorization="AWS4-HMAC-SHA256 Signature=0123456789")
    assert proxy.signs == {"abcdefgh%3D", "abcdefgh=", "0123456789"}


def test_rest_comes_when_the_last_request_of_a_dead_client_was_served(proxy, server):
    with proxy.meets(Fault(Delay(0.2))) as fault:
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        client.request("PUT", "/a", BODY)
        fault.wait()
        client.close()
        proxy.await_rest()
    assert server.bodies == [BODY]
