#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/reference/rest.md is what docs/rest_pages.py makes of openapi.json."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(os.environ["BAKPLANE_SOURCE_DIR"])


def main():
    kept = TOP / "docs/reference/rest.md"
    command = [sys.executable, "-B", TOP / "docs/rest_pages.py", "markdown",
               TOP / "docs/reference/openapi.json"]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "rest.md")
        subprocess.run([*command, made], check=True)
        if made.read_bytes() == kept.read_bytes():
            return 0
    words = " ".join(str(word.relative_to(TOP)) if isinstance(word, Path) else word
                     for word in ["python3", *command[2:], kept])
    print(f"rest.md is not up to date: {words}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
