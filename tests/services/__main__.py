# SPDX-License-Identifier: Apache-2.0
"""`./dev services up|down`, `setup` and `pytest`: fetch what servers need, use it."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

from . import cache, debian
from .milvus import MilvusServer


def state_file():
    return cache.root() / "playground.json"


def start_time(pid):
    """When a process started, in clock ticks, or None: tells a recycled pid from ours."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


def running():
    """The state that `up` wrote, if that server still runs."""
    try:
        state = json.loads(state_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state if start_time(state["pid"]) == state["started"] else None


def up():
    state = running()
    if state is None:
        server = MilvusServer(data=cache.root() / "playground", detached=True)
        server.start()
        state = {
            "pid": server.pid,
            "started": start_time(server.pid),
            "version": server.server_version,
            "address": server.address,
            "http_address": server.http_address,
            "root_path": str(server.root_path),
            "log": str(server.log),
        }
        state_file().write_text(json.dumps(state), encoding="utf-8")
    for name in ("version", "address", "http_address", "root_path", "log"):
        print(f"{name + ':':14}{state[name]}")


def down():
    state = running()
    if state is None:
        print("no server is running")
        return
    os.kill(state["pid"], signal.SIGINT)
    for _ in range(30):
        if start_time(state["pid"]) != state["started"]:
            break
        time.sleep(0.1)
    else:
        os.kill(state["pid"], signal.SIGKILL)
    state_file().unlink()
    print(f"stopped; its data stays in {cache.root() / 'playground'}")


def setup(versions):
    """Some versions of Milvus, or all servers that there are."""
    for version in versions or cache.MILVUS_PACKAGES:
        cache.milvus_programs(version)
        print(cache.python(version))
    if versions:
        return
    cache.openapi_packages()
    cache.prometheus_package()
    cache.grpc_tools()
    programs = [lambda name=name: cache.go_program(name) for name in cache.GO_PROGRAMS]
    for fetch in (*programs, cache.go_modules, cache.azurite, debian.image):
        try:
            fetch()
        except cache.Missing as missing:
            print(f"left out: {missing}; tests that need it are skipped", file=sys.stderr)


def pytest(arguments):
    """Become pytest under the interpreter that has pymilvus."""
    interpreter = cache.python()
    os.execv(interpreter, [str(interpreter), "-m", "pytest", "-p", "services.no_skip",
                          "-W", "ignore::DeprecationWarning", *arguments])


def main():
    parser = argparse.ArgumentParser(prog="services", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help="start a Milvus 2.3.5 and print where it is")
    verbs.add_parser("down", help="stop it")
    verb = verbs.add_parser("setup",
                            help="fetch servers; prints the interpreter with their clients")
    verb.add_argument("version", nargs="*", metavar="VERSION",
                      help="only this Milvus, and no other server")
    verbs.add_parser("pytest", help="run pytest with everything that integration tests import",
                     add_help=False)
    args, rest = parser.parse_known_args()
    if args.verb == "pytest":
        pytest(rest)
    elif rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    if args.verb == "setup":
        unknown = set(args.version) - set(cache.MILVUS_PACKAGES)
        if unknown:
            parser.error(f"no Milvus {', '.join(unknown)}; there are {', '.join(cache.MILVUS_PACKAGES)}")
        setup(args.version)
    else:
        {"up": up, "down": down}[args.verb]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
