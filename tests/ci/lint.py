#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Format, clang-tidy and shellcheck over everything that git knows.

Usage: lint.py BUILD   (a configured and built tree; its compile_commands.json says how)

Formatter and tidy are pinned to version 14. Tidy takes seconds per file, so its verdict is kept
in BUILD/lint under a digest of the file, all headers and the rules; a clean file costs nothing
the second time.
"""

import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

CLANG_FORMAT, CLANG_TIDY = "clang-format-14", "clang-tidy-14"


def tracked(*patterns):
    """Files that git tracks or would track."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
                             "--", *patterns], check=True, stdout=subprocess.PIPE).stdout
    return sorted({Path(os.fsdecode(name)) for name in listed.split(b"\0")
                   if name and Path(os.fsdecode(name)).is_file()})


def check_format(files):
    return subprocess.run([CLANG_FORMAT, "--dry-run", "-Werror", *files], check=False).returncode


def check_shell():
    scripts = [path for path in tracked("dev", ".ci/*", "packaging/debian/*", "*.sh")]
    return subprocess.run(["shellcheck", "--severity=style", *scripts], check=False).returncode


def tidy(source, build, key):
    """The complaint about one file, or None."""
    verdict = build / "lint" / hashlib.sha256(key + source.read_bytes()).hexdigest()
    if verdict.exists():
        return None
    done = subprocess.run([CLANG_TIDY, "--quiet", "-p", build, "--warnings-as-errors=*", source],
                          check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        return done.stdout or done.stderr
    verdict.parent.mkdir(exist_ok=True)
    verdict.touch()
    return None


def check_tidy(sources, build):
    key = hashlib.sha256()
    for path in tracked("*.h", ".clang-tidy"):
        key.update(path.read_bytes())
    with open(build / "compile_commands.json", encoding="utf-8") as commands:
        built = {Path(entry["file"]).resolve() for entry in json.load(commands)}
    sources = [source for source in sources if source.resolve() in built]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(tidy, source, build, key.digest()) for source in sources]
        for job in concurrent.futures.as_completed(jobs):
            if job.result() is not None:
                failed += 1
                print(job.result(), flush=True)
    return failed


def main(build):
    sources = tracked("core/*.c", "sdk/*.c", "plugins/*.c", "tests/*.c")
    headers = tracked("core/*.h", "sdk/*.h", "plugins/*.h", "tests/*.h")
    failed = []
    for name, verdict in (
            ("format", lambda: check_format(sources + headers)),
            ("shellcheck", check_shell),
            ("clang-tidy", lambda: check_tidy(sources, Path(build).resolve()))):
        print(f"lint: {name}", flush=True)
        if verdict():
            failed.append(name)
    print(f"lint: {'failed: ' + ', '.join(failed) if failed else 'clean'}: "
          f"{len(sources)} sources, {len(headers)} headers")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
