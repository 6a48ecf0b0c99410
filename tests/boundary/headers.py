#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each header of core, plugins and sdk compiles by itself. (The ABI's own: tests/abi.)

Usage: headers.py CC BUILD_DIR
"""

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

from tree import TOP, files, report

WARNINGS = ["-Wall", "-Wextra", "-Wundef", "-Wstrict-prototypes", "-Werror"]
# A header of macros alone would leave nothing to compile, which pedantic C refuses.
FILLER = "typedef int bp_nothing_else;"


def library_flags():
    packages = ["glib-2.0", "jansson", "yaml-0.1", "libprotobuf-c", "grpc", "libcurl", "libxml-2.0"]
    return subprocess.run(["pkg-config", "--cflags", *packages], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.split()


def compile_alone(header, compiler, build, libraries):
    """What the compiler says about a file that includes only this header."""
    # The SDK knows the C library only: it gets no other search path.
    house = ["-std=c11", "-pedantic"] if header.parts[0] == "sdk" else [
        "-std=gnu11", "-D_GNU_SOURCE=", f"-I{build}/include", f"-I{TOP / header.parent}",
        f"-I{build / header.parent}/proto", *libraries]
    if header.parts[:2] == ("sdk", "http"):
        house = ["-std=c11", "-pedantic", *libraries]
    command = [compiler, *WARNINGS, *house, f"-I{TOP}", f"-I{TOP}/sdk/include", "-fsyntax-only",
               "-x", "c", "-"]
    done = subprocess.run(command, check=False, text=True, input=f'#include "{header}"\n{FILLER}\n',
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return f"{header}:\n{done.stdout}" if done.returncode != 0 else None


def main(compiler, build):
    libraries = library_flags()
    headers = [path for path, _ in files("core", "plugins", "sdk/lib", "sdk/http", "sdk/testkit",
                                       suffixes=(".h",))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = pool.map(lambda header: compile_alone(header, compiler, Path(build), libraries),
                           headers)
    report([answer for answer in answers if answer], len(headers), "headers")


if __name__ == "__main__":
    main(*sys.argv[1:])
