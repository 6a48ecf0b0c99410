# SPDX-License-Identifier: Apache-2.0
"""Clients of the server's gRPC services, made from its .proto files as anybody would make them."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import grpc

from services import cache

PATIENCE = 300  # seconds that a call may take: flushes and imports take tens of them
TOP = Path(__file__).resolve().parents[3]
PROTOS = TOP / "core" / "grpc" / "proto"
EXAMPLE = TOP / "docs" / "examples" / "grpc-go"
# The folder that is the root of the names, and the files. Those below grpc/ get names without it,
# or they would lie in the package of that name.
PYTHON_FILES = [("", ["backup.proto", "bakplane/v1/jobs.proto"]),
                ("grpc/health/v1", ["health.proto"]),
                ("grpc/reflection/v1", ["reflection.proto"])]


def run(command, **arguments):
    done = subprocess.run([str(word) for word in command], check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **arguments)
    assert done.returncode == 0, f"{command}: exit status {done.returncode}:\n{done.stdout}"
    return done.stdout


class Python:
    """The generated modules: backup, jobs, health, reflection, each with its `…_grpc`."""

    def __init__(self, folder):
        for root, files in PYTHON_FILES:
            run([cache.grpc_tools(), "-m", "grpc_tools.protoc", "-I", PROTOS / root,
                 f"--python_out={folder}", f"--grpc_python_out={folder}", *files])
        sys.path.insert(0, str(folder))
        try:
            self.backup, self.backup_grpc = self._load("backup")
            self.jobs, self.jobs_grpc = self._load("bakplane.v1.jobs")
            self.health, self.health_grpc = self._load("health")
            self.reflection, self.reflection_grpc = self._load("reflection")
        finally:
            sys.path.remove(str(folder))

    @staticmethod
    def _load(name):
        return (importlib.import_module(f"{name}_pb2"),
                importlib.import_module(f"{name}_pb2_grpc"))


def build_go_example(folder):
    """The program of docs/examples/grpc-go, made as its README says."""
    go = cache.tool("go", "the example in Go")
    plugins = [str(cache.go_program(name).parent)
               for name in ("protoc-gen-go", "protoc-gen-go-grpc")]
    place = shutil.copytree(EXAMPLE, Path(folder) / "client")
    run([place / "generate.sh"],
        env={**os.environ, "PROTOS": str(PROTOS),
             "PROTOC": f"{cache.grpc_tools()} -m grpc_tools.protoc",
             "PATH": os.pathsep.join([*plugins, os.environ["PATH"]])})
    run([go, "build", "-o", "bakplane-client", "."], cwd=place,
        env={**os.environ, "GOFLAGS": "-mod=readonly"})
    return place / "bakplane-client"


class Channel:
    """A connection; `token` goes with every call."""

    def __init__(self, address, token=None, credentials=None):
        self.metadata = [("authorization", f"Bearer {token}")] if token else []
        options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
        self.channel = (grpc.insecure_channel(address, options) if credentials is None
                        else grpc.secure_channel(address, credentials, options))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def call(self, stub, method, request, timeout=PATIENCE, metadata=()):
        """One call of a generated stub's class."""
        return getattr(stub(self.channel), method)(
            request, timeout=timeout, metadata=[*self.metadata, *metadata])
