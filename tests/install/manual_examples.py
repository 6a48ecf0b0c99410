#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""manual_examples.py CMAKE BUILD CC: the plugins in section 3 of the manual, as somebody would who
copies them from there: built against a clean prefix, loaded, and used by the installed program."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FLAGS = ["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O1", "-shared",
         "-fPIC", "-fvisibility=hidden"]
CONFIG = """\
source: {{plugin: shelf}}
storages:
  greetings: {{plugin: greeting}}
  backups: {{plugin: local, root: {0}/backups}}
backup: {{storage: backups}}
state_dir: {0}/state
"""


def example(page):
    """The C of the section EXAMPLE, as a reader sees it."""
    text = page.read_text("utf-8")
    section = text[text.index(".SH EXAMPLE"):text.index(".SH LIFE CYCLE")]
    code = re.search(r"^\.EX\n(.*?)^\.EE$", section, re.DOTALL | re.MULTILINE).group(1)
    return code.replace("\\-", "-").replace("\\e", "\\")


def run(*command, **arguments):
    done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **arguments)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def build(compiler, prefix, kind, name):
    page = prefix / f"share/man/man3/bakplane-{kind}-plugin.3"
    source = prefix / f"{name}.c"
    source.write_text(example(page), encoding="utf-8")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "bakplane-sdk", env=environment).split()
    plugin = prefix / f"lib/bakplane/plugins/bakplane-{kind}-{name}.so"
    run(compiler, *FLAGS, source, *flags, "-o", plugin)


def main(cmake, build_folder, compiler):
    with tempfile.TemporaryDirectory() as scratch:
        prefix = Path(scratch, "prefix")
        run(cmake, "--install", build_folder, "--prefix", prefix)
        build(compiler, prefix, "storage", "greeting")
        build(compiler, prefix, "source", "shelf")
        config = Path(scratch, "bakplane.yaml")
        config.write_text(CONFIG.format(scratch), encoding="utf-8")
        program = [prefix / "bin/bakplane", "--config", config]
        listed = run(*program, "plugin", "list")
        assert "refused" not in listed and " greeting " in listed and " shelf " in listed, listed
        run(*program, "check")
        made = run(*program, "create", "-n", "b")
        assert "default.diary" in made and "backup b: success, 1 objects" in made, made
        run(*program, "verify", "-n", "b", "--deep")
        copied = Path(scratch, "backups/b/books/diary.txt").read_text("utf-8")
        assert copied == "dear diary", copied
        print(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
