# SPDX-License-Identifier: Apache-2.0
"""The program under test: its configuration file, its runs, and what they answered."""

import json
import os
import shlex
import subprocess
from pathlib import Path

from .storages import Bucket, Folder, Place

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_DIFFERENT = 0, 1, 2, 3


def program():
    """The built program: BAKPLANE_BIN, else what ./dev test builds."""
    here = Path(__file__).resolve().parents[3]
    return Path(os.environ.get("BAKPLANE_BIN") or here / "build" / "debug" / "bin" / "bakplane")


def plugin_folders():
    """Where its plugins are, and those that are only for tests."""
    build = program().resolve().parent.parent
    return [os.environ.get("BAKPLANE_PLUGIN_DIR") or str(build / "lib" / "bakplane" / "plugins"),
            os.environ.get("BAKPLANE_TEST_PLUGIN_DIR") or str(build / "tests" / "plugins")]


def data_of(server):
    """The place where a Milvus keeps its data."""
    if server.storage is None:
        return Folder(server.root_path)
    return Bucket(server.storage, server.bucket, server.root_path)


def yaml(value, indent=0):
    """Nested dictionaries as the lines of a block mapping; text is quoted as in JSON."""
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines += [f"{' ' * indent}{key}:"] + yaml(item, indent + 2)
        elif item is not None:
            lines.append(f"{' ' * indent}{key}: {json.dumps(item)}")
    return lines


def merge(base, changes):
    """A copy of nested dictionaries with others laid over it; None takes a key away."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        nested = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = merge(old, value) if nested else value
    return merged


class Result:
    """How one run ended."""

    def __init__(self, words, code, out, err):
        self.words, self.code, self.out, self.err = words, code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"$ {shlex.join(self.words)}\nexit code {self.code}\n{self.out}{self.err}"

    def expect(self, code):
        assert self.code == code, f"exit code {code} was expected:\n{self}"
        return self

    def mentions(self, *texts):
        """All of them occur in what was printed for people."""
        missing = [text for text in texts if text not in self.err + self.out]
        assert not missing, f"nothing is said of {missing}:\n{self}"
        return self


class Bakplane:
    """One configuration: a Milvus, and a folder or another Place for its backups.

    server may be None (then `settings` has to name an address). settings: laid over the
    configuration, as nested dictionaries. prefix: words before the program's name.
    """

    def __init__(self, folder, server=None, backups=None, settings=None, prefix=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "bakplane.yaml"
        self.store = backups if isinstance(backups, Place) else Folder(
            backups or self.folder / "backups")
        self.state = self.folder / "state"
        self.prefix = list(prefix)
        source = {"plugin": "milvus", "storage": "milvus-data"}
        storages = {"backups": self.store.settings()}
        # Where the Milvus keeps its data.
        self.data = data_of(server) if server is not None else None
        if server is not None:
            source["address"] = server.address
            storages["milvus-data"] = self.data.settings()
        base = {"source": source, "storages": storages, "backup": {"storage": "backups"},
                "state_dir": str(self.state)}
        self.settings = merge(base, settings or {})
        self.write()

    def write(self):
        self.config.write_text("\n".join(yaml(self.settings)) + "\n", encoding="utf-8")

    @property
    def backups(self):
        """The folder of the backups."""
        return self.store.root

    def path(self, name, *parts):
        """Of a backup in that folder, or of something in it."""
        return self.backups.joinpath(name, *parts)

    def command(self, *words):
        return [*self.prefix, str(program()), "--config", str(self.config), *map(str, words)]

    def start(self, *words, env=None):
        """A run that goes on beside the test."""
        return subprocess.Popen(self.command(*words), env={**os.environ, **(env or {})}, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def finish(self, process, timeout=300):
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"still running after {timeout} s:\n{out}{err}") from None
        return Result(process.args, process.returncode, out, err)

    def run(self, *words, env=None, timeout=300):
        return self.finish(self.start(*words, env=env), timeout)

    # -- verbs, answered in JSON

    def create(self, name, *flags, expect=EXIT_DONE, **kwargs):
        return self.run("--json", "create", "-n", name, *flags, **kwargs).expect(expect)

    def restore(self, name, *flags, expect=EXIT_DONE, **kwargs):
        return self.run("--json", "restore", "-n", name, *flags, **kwargs).expect(expect)

    def verify(self, name, *flags, expect=EXIT_DONE, **kwargs):
        return self.run("--json", "verify", "-n", name, *flags, **kwargs).expect(expect)

    def delete(self, name, *flags, expect=EXIT_DONE, **kwargs):
        return self.run("--json", "delete", "-n", name, *flags, **kwargs).expect(expect)

    def get(self, name, *flags, expect=EXIT_DONE, **kwargs):
        return self.run("--json", "get", "-n", name, *flags, **kwargs).expect(expect)

    def list(self, *flags):
        """What `list` says, by the backups' names."""
        result = self.run("--json", "list", *flags).expect(EXIT_DONE)
        return {one["name"]: one for one in result.json["backups"]}


def notes(result):
    """The codes of the notes in a result."""
    return {note["code"] for note in result.json.get("notes", [])}


def targets(result):
    """Of a restore: what it says of every target, by its name."""
    return {one["to"]: one for one in result.json["targets"]}
