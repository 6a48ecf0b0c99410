#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/reference/grpc.md is what docs/grpc_page.py makes of the .proto files, and nothing of them
is missing there."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(os.environ["BAKPLANE_SOURCE_DIR"])
# What others describe is there by its service alone.
OURS = ("backup.proto", "bakplane/v1/jobs.proto")


def missing(page):
    """What the generator has overlooked: found by another, simpler road."""
    for path in sorted((TOP / "core/grpc/proto").rglob("*.proto")):
        text = path.read_text(encoding="utf-8")
        package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)[1]
        for service in re.findall(r"^service (\w+)", text, re.MULTILINE):
            yield f"`{package}.{service}`"
        yield from (f"| `{rpc}` |" for rpc in re.findall(r"^ *rpc (\w+)", text, re.MULTILINE))
        if path.relative_to(TOP / "core/grpc/proto").as_posix() in OURS:
            yield from (f"### {name}\n" for name in re.findall(r"^message (\w+)", text, re.MULTILINE))
            fields = re.findall(r"(\w+) = (\d+);", text)
            yield from (f"| {number} | `{name}` |" for name, number in fields
                        if f"{name} {number}" not in page)


def main():
    kept = TOP / "docs/reference/grpc.md"
    page = kept.read_text(encoding="utf-8")
    problems = [f"grpc.md says nothing of {what.strip()}" for what in missing(page)
                if what not in page]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "grpc.md")
        subprocess.run([sys.executable, "-B", TOP / "docs/grpc_page.py", made], check=True)
        if made.read_text(encoding="utf-8") != page:
            problems.append("grpc.md is not up to date: python3 docs/grpc_page.py "
                            "docs/reference/grpc.md")
    print("\n".join(problems) or "grpc.md has everything")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
