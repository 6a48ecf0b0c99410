#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the binaries show to the dynamic linker.

Usage: symbols.py PROGRAM SERVER PLUGIN...

A plugin defines one symbol, wants nothing of ours from its host, stays loaded and carries no
search path. The programs export nothing of ours and link no library that only plugins, or only the
server, need.
"""

import re
import subprocess
import sys
from pathlib import Path

from tree import report

ENTRY = "bp_plugin_entry_v1"
PLUGINS_ONLY = ("libcurl", "libxml2")
SERVER_ONLY = ("libgrpc", "libprotobuf", "libmicrohttpd")


def tool(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def symbols(path, which):
    """Names in the dynamic table, without versions; `which` is --defined-only or --undefined-only."""
    listed = tool("nm", "-D", "--format=posix", which, path).splitlines()
    return {line.split()[0].partition("@")[0] for line in listed}


def check_common(path, dynamic):
    if re.search(r"\((RPATH|RUNPATH)\)", dynamic):
        yield f"{path}: carries a search path"
    if not re.search(r"\(FLAGS(_1)?\).*\bNOW\b", dynamic):
        yield f"{path}: not linked with -z now"


def check_plugin(path):
    dynamic = tool("readelf", "-dW", path)
    yield from check_common(path, dynamic)
    exported = symbols(path, "--defined-only")
    if exported != {ENTRY}:
        yield f"{path}: exports {sorted(exported)} instead of only {ENTRY}"
    ours = {name for name in symbols(path, "--undefined-only") if name.startswith("bp_")}
    if ours:
        yield f"{path}: wants from its host: {sorted(ours)}"
    if "NODELETE" not in dynamic:
        yield f"{path}: can be unloaded (link with -z nodelete)"
    if not re.fullmatch(r"bakplane-(storage|source)-[a-z0-9-]+\.so", Path(path).name):
        yield f"{path}: not named bakplane-KIND-NAME.so"


def check_program(path, foreign):
    dynamic = tool("readelf", "-dW", path)
    yield from check_common(path, dynamic)
    ours = {name for name in symbols(path, "--defined-only") if name.startswith("bp_")}
    if ours:
        yield f"{path}: exports {sorted(ours)}"
    for library in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        if library.startswith(foreign):
            yield f"{path}: links {library}, which only others need"


def main(program, server, *plugins):
    problems = list(check_program(program, PLUGINS_ONLY + SERVER_ONLY))
    problems += check_program(server, PLUGINS_ONLY)
    for plugin in plugins:
        problems += check_plugin(plugin)
    report(problems, len(plugins), "plugins")


if __name__ == "__main__":
    main(*sys.argv[1:])
