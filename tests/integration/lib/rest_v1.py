# SPDX-License-Identifier: Apache-2.0
"""Requests to milvus-backup's REST service, one after the other, to it or to bakplane's server.

They are sent by curl, as scripts send them. What came of each is written down in a form in which
the two can be compared: status, code, message, and the shape of the data. Those of the real 0.5.7
are in tests/fixtures/milvus-backup/rest_057.json, recorded by test_slow_rest_v1.py.
"""

import json
import os
import re
import subprocess
import time
from pathlib import Path

from services import Peer
from services.bakplane_server import BakplaneServer
from services.server import Server

from . import data, golden, milvus
from .openapi import Curl
from .storages import Bucket

OUTCOMES = golden.FOLDER / "rest_057.json"
BUCKET, ROOT = "rest", "root"
PATIENCE = 120
LONGEST = 600  # that an answer may take
HERE = "/api/v1"

# Method, path, body; wait: the path to ask until the task is over.
CASES = [
    ("GET", "/"), ("PUT", "/"), ("GET", f"{HERE}/hello"), ("GET", f"{HERE}/list"),
    # bodies that are none
    ("POST", f"{HERE}/create", "{"), ("POST", f"{HERE}/create", '{"async":"yes"}'),
    ("POST", f"{HERE}/restore", "{"),
    # names that are none
    ("POST", f"{HERE}/create", {"backup_name": "two words"}),
    ("POST", f"{HERE}/create", {"backup_name": "1a"}),
    ("POST", f"{HERE}/create", {"backup_name": "a-b"}),
    ("POST", f"{HERE}/create", {"backup_name": "lost", "collection_names": ["nothing"]}),
    ("GET", f"{HERE}/get_backup"), ("GET", f"{HERE}/get_backup?backup_name=nothing"),
    ("GET", f"{HERE}/get_backup?backup_id=nothing"), ("DELETE", f"{HERE}/delete"),
    ("DELETE", f"{HERE}/delete?backup_name=nothing"),
    ("POST", f"{HERE}/restore", {"backup_name": "nothing"}),
    ("GET", f"{HERE}/get_restore?id=nothing"),
    # making backups
    ("POST", f"{HERE}/create", {"backup_name": "one",
                                "collection_names": ["simple", "shop.items"]}),
    ("POST", f"{HERE}/create", {"backup_name": "one"}),
    ("GET", f"{HERE}/get_backup?backup_name=one"),
    ("POST", f"{HERE}/create", {"backup_name": "two", "async": True,
                                "db_collections": {"shop": []}},
     f"{HERE}/get_backup?backup_id="),
    ("GET", f"{HERE}/list"), ("GET", f"{HERE}/list?collection_name=simple"),
    ("GET", f"{HERE}/list?collection_name=nothing"),
    # bringing them back
    ("POST", f"{HERE}/restore", {"backup_name": "one", "collection_suffix": "-r"}),
    ("POST", f"{HERE}/restore", {"backup_name": "one", "collection_names": ["simple"],
                                 "collection_suffix": "_r", "restoreIndex": True}),
    ("POST", f"{HERE}/restore", {"backup_name": "two", "async": True, "id": "mine",
                                 "collection_renames": {"shop.items": "shop.moved"}},
     f"{HERE}/get_restore?id="),
    ("GET", f"{HERE}/get_restore?id=mine"),
    ("POST", f"{HERE}/restore", {"backup_name": "one", "collection_names": ["simple"]}),
    ("POST", f"{HERE}/restore", {"backup_name": "one", "collection_names": ["simple"],
                                 "dropExistCollection": True}),
    # and away
    ("DELETE", f"{HERE}/delete?backup_name=two"), ("GET", f"{HERE}/get_backup?backup_name=two"),
    ("GET", f"{HERE}/check"),
]


def key(number, case):
    """A case as a line; some come twice."""
    body = case[2] if len(case) > 2 else ""
    text = body if isinstance(body, str) else json.dumps(body)
    return " ".join([f"{number:02}", case[0], case[1], text]).rstrip()


def curl(url, method="GET", path="/", body=None, headers=()):
    """(status, text)"""
    words = ["curl", "-sS", "-X", method, "--max-time", str(LONGEST), "-w", "\n%{http_code}"]
    for header in headers:
        words += ["-H", header]
    if body is not None:
        text = body if isinstance(body, str) else json.dumps(body)
        words += ["-H", "Content-Type: application/json", "--data-binary", text]
    done = subprocess.run([*words, url + path], check=True, text=True, capture_output=True,
                          timeout=LONGEST + PATIENCE)
    text, _, status = done.stdout.rpartition("\n")
    return int(status), text


class Stage:
    """A Milvus with two collections, a place for backups, one configuration for both servers."""

    def __init__(self, folder, server):
        self.milvus, self.folder = server, Path(folder)
        milvus.wipe(server)
        data.make_database(server, "shop")
        data.simple(server)
        data.simple(server, "items", count=30, database="shop")
        server.storage.make_bucket(BUCKET)
        self.place = Bucket(server.storage, BUCKET, ROOT)
        self.place.clear()
        self.peer = Peer(self.folder / "peer", server.storage, server, BUCKET, ROOT)


class PeerRest(Server):
    """The real one."""

    NAME = "milvus-backup"

    def __init__(self, stage):
        super().__init__(stage.folder / "peer-server")
        self._peer = stage.peer
        self.url = f"http://127.0.0.1:{self._ports['rest']}"

    def _command(self):
        return self._peer.command("server", "-p", self._ports["rest"]), None

    def _is_ready(self):
        return subprocess.run(["curl", "-sf", self.url], check=False,
                              capture_output=True).returncode == 0

    def exchange(self, method, path, body=None):
        """(status, text)"""
        return curl(self.url, method, path, body)


class OurRest(BakplaneServer):
    """Ours, with the very same configuration file, and one token. Its answers are held against the
    description, but for those of /, which has none."""

    def __init__(self, stage, description):
        self._peer = stage.peer
        self._curl = Curl(self, description, LONGEST)
        self._made_at = stage.folder / "our-server"
        sets = ["server.listen=127.0.0.1:0", "server.grpc_listen=",
                f"state_dir={self._made_at / 'state'}"]
        super().__init__(self._made_at, settings={"source": {}},
                         flags=["--log-format", "json",
                                *(word for one in sets for word in ("--set", one))])

    def _command(self):
        command, env = super()._command()
        return [self._peer.config if word == self.config else word for word in command], env

    @property
    def headers(self):
        return (f"Authorization: Bearer {self.token}",)

    def exchange(self, method, path, body=None, headers=(), token=""):
        """(status, text). token: None = send none."""
        if path == "/":
            return curl(self.url, method, path, body, headers)
        answer = self._curl.ask(method, path, body, token,
                                ("Content-Type: application/json", *headers))
        return answer.status, answer.text

    def curl(self, method, path, body=None, headers=()):
        """(status, JSON)"""
        status, text = self.exchange(method, path, body, headers)
        return status, json.loads(text)


def shape(value):
    """Names and types, not values; of a list what any of its members has: they come in an order of
    Go's, and what is 0 is left out."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in sorted(value.items())}
    if isinstance(value, list):
        return merged([[shape(one)] for one in value])
    return type(value).__name__


def merged(shapes):
    """One shape that has what each of them has."""
    if all(isinstance(one, list) for one in shapes):
        inner = [each for one in shapes for each in one]
        return [merged(inner)] if inner else []
    if all(isinstance(one, dict) for one in shapes):
        return {name: merged([one[name] for one in shapes if name in one])
                for name in sorted({name for one in shapes for name in one})}
    return shapes[0]


def outcome(status, text):
    try:
        answer = json.loads(text)
    except ValueError:
        return {"status": status, "text": text}
    if not isinstance(answer, dict):
        return {"status": status, "text": re.sub(r"(?s)\n.*", "", str(answer))}
    found = {"status": status, "names": sorted(answer)}
    if "error" in answer:
        return {**found, "error": answer["error"]}
    found.update(code=answer.get("code", 0), msg=answer.get("msg", ""))
    if isinstance(answer.get("data"), dict):
        one = answer["data"]
        found["state"] = one["state_code"]
        found["progress"] = one["progress"]
        found["name"] = one.get("name", "")
        tasks = one.get("collection_restore_tasks") or []
        found["targets"] = sorted(f"{task['target_db_name']}.{task['target_collection_name']}"
                                  for task in tasks)
        found["held"] = sorted(f"{each.get('db_name') or 'default'}.{each['collection_name']}"
                               for each in one.get("collection_backups") or [])
    elif answer.get("data"):
        found["backups"] = sorted(one["name"] for one in answer["data"])
    found["shape"] = shape(answer.get("data"))
    return found


def ended(server, path):
    """The answer when its task is over."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        status, text = server.exchange("GET", path)
        if json.loads(text)["data"]["state_code"] >= 2:
            return status, text
        time.sleep(0.1)
    raise AssertionError(f"{path} does not end: {text}")


def play_all(server):
    outcomes = {}
    for number, case in enumerate(CASES):
        body = case[2] if len(case) > 2 else None
        status, text = server.exchange(case[0], case[1], body)
        outcomes[key(number, case)] = outcome(status, text)
        if len(case) > 3:
            task = json.loads(text)["data"]["id"]
            outcomes[key(number, case) + ", over"] = outcome(*ended(server, case[3] + task))
    return outcomes


def recorded():
    return json.loads(OUTCOMES.read_text(encoding="utf-8"))


def record(outcomes):
    """Only where BAKPLANE_RECORD says so: a new version of the tool, another list of cases."""
    if os.environ.get("BAKPLANE_RECORD"):
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in
                           outcomes.items())
        OUTCOMES.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
