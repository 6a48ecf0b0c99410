#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What plugins may show to and want from the dynamic linker, by the lists in symbols.txt.

Usage: symbols.py PLUGIN...

A plugin exports its entry only, is linked with what its list names and nothing else, and calls
nothing that changes the process it lives in.  (That its links and flags are as they should be is
tests/boundary/symbols.py.)
"""

import re
import subprocess
import sys
from pathlib import Path

LISTS = Path(__file__).resolve().parent / "symbols.txt"


def lists():
    """{heading: [word, …]} of symbols.txt."""
    found, heading = {}, None
    for line in LISTS.read_text("utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("["):
            heading = found.setdefault(line.strip("[]"), [])
        elif line:
            heading.extend(line.split())
    return found


def tool(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def names(plugin, which):
    """Symbols in the dynamic table, without versions."""
    listed = tool("nm", "-D", "--format=posix", which, plugin).splitlines()
    return {line.split()[0].partition("@")[0] for line in listed}


def problems_of(plugin, allowed):
    name = Path(plugin).name
    exported = names(plugin, "--defined-only")
    if exported != set(allowed["exported"]):
        yield f"{name} exports {' '.join(sorted(exported))}, not {' '.join(allowed['exported'])}"
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", tool("readelf", "-dW", plugin)))
    listed = set(allowed["everywhere"]) | set(allowed.get(name, ()))
    if needed - listed:
        yield f"{name} is linked with {' '.join(sorted(needed - listed))}: not in symbols.txt"
    wants = names(plugin, "--undefined-only")
    forbidden = wants & set(allowed["forbidden"])
    if forbidden:
        yield f"{name} calls {' '.join(sorted(forbidden))}, which changes the whole process"


def main(*plugins):
    allowed = lists()
    problems = [problem for plugin in plugins for problem in problems_of(plugin, allowed)]
    print("\n".join(problems) or f"{len(plugins)} plugins keep to their lists")
    return 1 if problems or not plugins else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
