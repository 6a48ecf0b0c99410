# SPDX-License-Identifier: Apache-2.0
"""What is fetched once and kept: virtual environments, built and unpacked programs."""

import contextlib
import fcntl
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

# The last Milvus versions that exist as a Python package, with the clients that fit them.
# Newer setuptools have no pkg_resources, newer marshmallow breaks environs; both are imported.
MILVUS_PACKAGES = {
    "2.3.5": ["milvus==2.3.5", "pymilvus==2.3.7"],
    "2.2.16": ["milvus==2.2.16", "pymilvus==2.2.17"],
}
COMMON_PACKAGES = ["setuptools<70", "marshmallow<4", "numpy==2.4.6", "pytest==9.2.0",
                   "boto3==1.44.5", "azure-storage-blob==12.31.1"]

# What makes clients of .proto files: not newer than the grpcio that pymilvus brings along, which
# refuses the code of newer ones. A place of its own, for it wants an older protobuf.
GRPC_TOOLS = ["grpcio-tools==1.60.0", "setuptools<70"]

# Object stores, built from their source by `go install`, and the oldest Go that builds them all;
# and what makes clients in Go.
GO_PROGRAMS = {
    "minio": "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
    "versitygw": "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
    "protoc-gen-go": "google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.6",
    "protoc-gen-go-grpc": "google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.5.1",
}
GO_MINIMUM = (1, 25)
# Prometheus' own client for Python: its parser reads what our server tells.
PROMETHEUS = "prometheus_client==0.23.1"
# What the comparisons are with; it is not fetched but lies in the folder beside the repository.
PEER = "milvus-backup-0.5.7"
# It asks for a newer Node.js than Debian 12 has; its blob service was seen to run on that one, too.
AZURITE = "azurite@3.37.0"

# What the description of REST is checked with. No server needs it, so it lies apart from them.
OPENAPI_PACKAGES = ["openapi-spec-validator==0.7.2", "jsonschema==4.26.0",
                    "rfc3339-validator==0.1.4"]


class Missing(unittest.SkipTest):
    """Something is not on this machine that cannot be fetched here; a test is skipped by it."""


def root():
    """The cache folder, made where it is missing."""
    base = os.environ.get("BAKPLANE_CACHE")
    if not base:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        base = os.path.join(home, "bakplane")
    path = Path(base).absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def locked(name):
    """Hold a lock in the cache, so that two runs do not fetch the same thing at once."""
    with open(root() / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def once(target, wanted, make):
    """Call make(folder) unless target already holds what `wanted` describes.

    A stamp is written last: a target that was interrupted has none and is made again.
    """
    stamp = target / ".bakplane-stamp"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return target
    with locked(target.name):
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return target
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        make(target)
        stamp.write_text(wanted, encoding="utf-8")
    return target


def venv(version="2.3.5"):
    """The virtual environment with one Milvus, its client and pytest; its folder."""
    packages = MILVUS_PACKAGES[version] + COMMON_PACKAGES

    def make(folder):
        print(f"fetching {', '.join(packages)} into {folder}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", *packages], check=True)

    # One folder per list: two checkouts that share the cache do not replace each other's.
    wanted = "\n".join(packages)
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:8]
    return once(root() / "venv" / f"milvus-{version}-{digest}", wanted, make)


def python(version="2.3.5"):
    """The interpreter that can import pymilvus and pytest."""
    return venv(version) / "bin/python"


def packages_folder(name, packages):
    """Packages of Python's in a folder of their own, for sys.path."""
    version = ".".join(map(str, sys.version_info[:2]))
    wanted = "\n".join([version, *packages])

    def make(folder):
        print(f"fetching {', '.join(packages)} into {folder}", file=sys.stderr, flush=True)
        fetch([python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
               "--target", folder, *packages])

    digest = hashlib.sha256(wanted.encode()).hexdigest()[:8]
    return once(root() / "packages" / f"{name}-{digest}", wanted, make)


def openapi_packages():
    return packages_folder("openapi", OPENAPI_PACKAGES)


def prometheus_package():
    return packages_folder("prometheus", [PROMETHEUS])


def grpc_tools():
    """The interpreter that has `-m grpc_tools.protoc`."""
    wanted = "\n".join(GRPC_TOOLS)

    def make(folder):
        print(f"fetching {GRPC_TOOLS[0]} into {folder}", file=sys.stderr, flush=True)
        fetch([sys.executable, "-m", "venv", folder])
        fetch([folder / "bin/python", "-m", "pip", "install", "--quiet",
               "--disable-pip-version-check", *GRPC_TOOLS])

    digest = hashlib.sha256(wanted.encode()).hexdigest()[:8]
    return once(root() / "venv" / f"grpc-{digest}", wanted, make) / "bin/python"


def milvus_package(version):
    """The data folder of the Milvus package: a template of its settings, packed programs."""
    found = list(venv(version).glob("lib/python3*/site-packages/milvus/data"))
    if len(found) != 1:
        raise FileNotFoundError(f"milvus {version} is not in {venv(version)}")
    return found[0]


def milvus_programs(version):
    """The unpacked program with its libraries; its own launcher unpacks once per data folder."""
    packed = sorted((milvus_package(version) / "bin").glob("*.lzma"))
    wanted = hashlib.sha256("\n".join(f"{p.name} {p.stat().st_size}" for p in packed).encode())

    def make(folder):
        for source in packed:
            target = folder / source.stem
            with lzma.open(source) as reader, open(target, "wb") as writer:
                shutil.copyfileobj(reader, writer, 1 << 20)
            target.chmod(0o755)

    return once(root() / f"milvus-{version}", wanted.hexdigest(), make)


def tool(name, why):
    """The path of a program that the machine has to bring along."""
    path = shutil.which(name)
    if path is None:
        raise Missing(f"{why} needs {name}, which is not on PATH")
    return path


def fetch(command, **arguments):
    """Run a command; what it says is shown only if it fails."""
    done = subprocess.run(command, check=False, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **arguments)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {done.returncode}:\n"
                           f"{done.stdout[-4000:]}")


def go_program(name):
    """One of GO_PROGRAMS: the built program. Modules and object files stay in Go's own caches."""
    package = GO_PROGRAMS[name]

    def make(folder):
        go = tool("go", name)
        text = subprocess.run([go, "env", "GOVERSION"], cwd=folder, check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()
        version = re.match(r"go(\d+)\.(\d+)", text)
        if version and tuple(map(int, version.groups())) < GO_MINIMUM:
            raise Missing(f"{name} needs Go {'.'.join(map(str, GO_MINIMUM))}, {go} is {text}")
        print(f"building {package} in {folder}; this takes minutes", file=sys.stderr, flush=True)
        fetch([go, "install", package], cwd=folder, env={**os.environ, "GOBIN": str(folder)})

    return once(root() / name, package, make) / name


def go_modules():
    """What the example in Go is built from; in Go's own cache."""
    example = Path(__file__).resolve().parents[2] / "docs" / "examples" / "grpc-go"
    fetch([tool("go", "the example in Go"), "mod", "download"], cwd=example)


def azurite():
    """The command of Azurite's blob service."""
    node = tool("node", "azurite")

    def make(folder):
        npm = tool("npm", "azurite")
        print(f"fetching {AZURITE} into {folder}", file=sys.stderr, flush=True)
        fetch([npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts",
                AZURITE], cwd=folder)

    folder = once(root() / "azurite", AZURITE, make)
    return [node, folder / "node_modules/azurite/dist/src/blob/main.js"]


def shared():
    """The folder with what is not part of the repository, such as the peer."""
    return Path(os.environ.get("BAKPLANE_SHARED") or Path(__file__).resolve().parents[3] / "shared")


def peer():
    """The unpacked program of milvus-backup."""
    packed = Path(os.environ.get("BAKPLANE_PEER") or shared() / "peer") / f"{PEER}.xz"
    if not packed.is_file():
        raise Missing(f"{packed} is missing; BAKPLANE_PEER is another folder that has it")

    def make(folder):
        with lzma.open(packed) as reader, open(folder / PEER, "wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
        (folder / PEER).chmod(0o755)

    wanted = hashlib.sha256(packed.read_bytes()).hexdigest()
    return once(root() / PEER, wanted, make) / PEER
