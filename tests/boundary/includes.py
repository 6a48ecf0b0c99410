#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom, and who may know what: the layers of docs/architecture.md.

cli -> jobs -> job -> {catalog, copy} -> plugin -> config -> base; compat sits beside config; daemon
-> grpc -> server (HTTP and what is served by it) beside cli, and only these use compat. The SDK knows
only itself, a plugin the SDK and itself. Each outside library has one home. Core does not know which
system it saves: the word is searched for, comments included.
"""

import re

from tree import TOP, files, report

BELOW = {
    "base": set(),
    "config": {"base"},
    "plugin": {"base", "config"},
    "catalog": {"base", "config", "plugin"},
    "copy": {"base", "config", "plugin"},
    "compat": {"base", "config", "plugin"},
    "verb": {"base", "config", "plugin", "catalog", "copy"},
    "jobs": {"base", "config", "plugin", "catalog", "copy", "verb"},
    "server": {"base", "config", "plugin", "catalog", "copy", "verb", "jobs", "compat"},
    "grpc": {"base", "config", "plugin", "catalog", "copy", "verb", "jobs", "compat", "server"},
    "daemon": {"base", "config", "plugin", "catalog", "copy", "verb", "jobs", "compat", "server",
               "grpc"},
    "cli": {"base", "config", "plugin", "catalog", "copy", "verb", "jobs", "compat"},
}
# Header of an outside library: the only folders that may include it.
HOMES = {
    re.compile(r"^protobuf-c/|\.pb-c\.h$"): ("plugins/source-milvus/",),
    re.compile(r"^grpc/"): ("plugins/source-milvus/", "core/grpc/"),
    re.compile(r"^(curl|libxml)/"): ("sdk/http/",),
    re.compile(r"^microhttpd\.h$"): ("core/server/",),
    re.compile(r"^yaml\.h$"): ("core/config/", "sdk/testkit/"),
    re.compile(r"^glib|^gio/"): ("core/", "plugins/"),
    re.compile(r"^jansson\.h$"): ("core/", "plugins/"),
}
# Spelled in two parts, so that the test does not find itself.
FOREIGN_WORD = re.compile("mil" + "vus", re.IGNORECASE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def local(path, header):
    """Whether a quoted header lies beside the file or in a folder that only this folder makes."""
    return (TOP / path.parent / header).is_file() or header.endswith(".pb-c.h")


def wrong_layer(path, header):
    """Why a file of ours may not include a header of ours, or None."""
    part, *rest = header.split("/")
    here = path.parts
    if ".." in header.split("/"):
        return "goes upwards"
    if part == "sdk":
        if rest[:1] == ["http"] and here[0] == "core":
            return "HTTP is for plugins"
        return None
    if part == "core":
        if here[0] != "core":
            return f"{here[0]} must not know the core"
        if rest[0] != here[1] and rest[0] not in BELOW[here[1]]:
            return f"{here[1]} is not above {rest[0]}"
        return None
    if part == "bp_build.h":
        return "knows nothing of our build" if here[0] == "sdk" else None
    if part == "plugins" and here[:2] == ("plugins", rest[0]):
        return None
    if here[0] == "core":
        return "core includes by the path from the top"
    return None if local(path, header) else "neither the SDK nor this folder"


def main():
    problems, checked = [], 0
    for path, text in files("core", "sdk", "plugins"):
        checked += 1
        for bracket, header in INCLUDE.findall(text):
            reason = None
            if bracket == '"' or header == "bp_build.h":
                reason = wrong_layer(path, header)
            elif header.startswith(("core/", "plugins/", "sdk/")):
                reason = "ours is included in quotes"
            for pattern, homes in HOMES.items():
                if pattern.search(header) and not str(path).startswith(homes):
                    reason = f"belongs to {' and '.join(homes)}"
            if reason:
                problems.append(f"{path}: {header}: {reason}")
        if path.parts[0] == "core" and path.parts[1] != "compat":
            for number, line in enumerate(text.splitlines(), 1):
                if FOREIGN_WORD.search(line):
                    problems.append(f"{path}:{number}: core must not know this word: {line.strip()}")
    unknown = {path.parts[1] for path, _ in files("core")} - set(BELOW)
    problems += [f"core/{name}: not a known layer" for name in sorted(unknown)]
    report(problems, checked, "files")


if __name__ == "__main__":
    main()
