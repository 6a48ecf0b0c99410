# SPDX-License-Identifier: Apache-2.0
"""What tests rely on without looking: ports, settings, and that nothing outlives its owner."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from . import cache, debian
from .milvus import override
from .ports import PortBlock
from .process import ServerError, ServerProcess, clean_environment

OWNER = """
import sys, time
from services.process import ServerProcess
print(ServerProcess(["sleep", "600"], sys.argv[1]).pid, flush=True)
time.sleep(600)
"""


def is_alive(pid):
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False


class Ports(unittest.TestCase):
    def test_blocks_do_not_overlap(self):
        blocks = [PortBlock() for _ in range(4)]
        ports = [block[name] for block in blocks for name in ("a", "b")]
        self.assertEqual(len(ports), len(set(ports)))
        for block in blocks:
            block.release()

    def test_a_name_keeps_its_port(self):
        block = PortBlock()
        self.assertEqual(block["a"], block["a"])
        self.assertNotEqual(block["a"], block["b"])
        block.release()


class Settings(unittest.TestCase):
    TEXT = "a:\n  b: 1 # why\n  c:\n    d: x\ne:\n  b: 2\n"

    def test_replaces_only_the_named_key(self):
        changed = override(self.TEXT, {"a.c.d": True, "e.b": 7})
        self.assertEqual(changed, "a:\n  b: 1 # why\n  c:\n    d: true\ne:\n  b: 7\n")

    def test_refuses_an_unknown_key(self):
        with self.assertRaisesRegex(ServerError, "a.x"):
            override(self.TEXT, {"a.x": 1})


class Processes(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.log = os.path.join(self.scratch.name, "log")

    def test_stop_asks_then_insists(self):
        polite = ServerProcess(["sleep", "600"], self.log)
        self.assertTrue(polite.stop())
        deaf = ServerProcess(["sh", "-c", "trap '' INT; echo ready; sleep 600 & wait; wait"], self.log)
        while "ready" not in deaf.tail():
            time.sleep(0.01)
        self.assertFalse(deaf.stop(grace=0.2))
        self.assertFalse(deaf.is_running())

    def test_dies_with_an_owner_that_was_killed(self):
        owner = subprocess.Popen([sys.executable, "-c", OWNER, self.log], text=True,
                                 stdout=subprocess.PIPE)
        pid = int(owner.stdout.readline())
        self.assertTrue(is_alive(pid))
        owner.send_signal(signal.SIGKILL)
        owner.communicate()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if not is_alive(pid):
                return
            time.sleep(0.01)
        self.fail(f"process {pid} is still there")

    def test_environment_has_no_proxy(self):
        os.environ["http_proxy"] = "http://nowhere"
        self.addCleanup(os.environ.pop, "http_proxy")
        self.assertEqual(clean_environment({"A": 1}).get("A"), "1")
        self.assertNotIn("http_proxy", clean_environment())


class Fetching(unittest.TestCase):
    """go and npm are scripts here, so that nothing is fetched."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.bin = Path(scratch.name) / "bin"
        self.bin.mkdir()
        self.cache = Path(scratch.name) / "cache"
        changed = mock.patch.dict(os.environ, {"PATH": str(self.bin),
                                               "BAKPLANE_CACHE": str(self.cache)})
        changed.start()
        self.addCleanup(changed.stop)

    def tool(self, name, *lines):
        path = self.bin / name
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="ascii")
        path.chmod(0o755)

    def test_a_missing_tool_is_named(self):
        with self.assertRaisesRegex(cache.Missing, "minio needs go, which is not on PATH"):
            cache.go_program("minio")
        with self.assertRaisesRegex(cache.Missing, "azurite needs node"):
            cache.azurite()

    def test_a_debian_needs_root_and_its_tool(self):
        with mock.patch("os.geteuid", return_value=1000), \
                self.assertRaisesRegex(cache.Missing, "a Debian in a folder needs root"):
            debian.image()
        with mock.patch.object(debian, "_check_machine"), \
                self.assertRaisesRegex(cache.Missing, "needs mmdebstrap, which is not on PATH"):
            debian.image()

    def test_an_old_go_is_refused(self):
        self.tool("go", "echo go1.19.8")
        with self.assertRaisesRegex(cache.Missing, r"needs Go 1\.25, .*/go is go1\.19\.8"):
            cache.go_program("minio")

    def test_a_program_is_built_once(self):
        self.tool("go", '[ "$1" != env ] || { echo go1.26; exit; }',
                  'echo "$2" >>"$GOBIN/versitygw"')
        for _ in range(2):
            program = cache.go_program("versitygw")
        self.assertEqual(program.read_text(encoding="ascii"),
                         cache.GO_PROGRAMS["versitygw"] + "\n")

    def test_what_is_half_built_is_built_again(self):
        self.tool("go", '[ "$1" != env ] || { echo go1.26; exit; }',
                  'echo half >"$GOBIN/minio"', "echo the disk is full >&2; exit 1")
        for _ in range(2):
            with self.assertRaisesRegex(RuntimeError, "exit status 1:\nthe disk is full"):
                cache.go_program("minio")


if __name__ == "__main__":
    unittest.main()
