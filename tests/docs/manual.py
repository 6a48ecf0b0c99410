#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""manual.py SHARE: every option and setting is in its manual page and in --help.

Also: each page has the usual sections, renders without a warning, and refers to pages that exist.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import tables

SECTIONS = ("NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO")
problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)


def has_word(text, word):
    return re.search(r"(?<![\w-])" + re.escape(word) + r"(?![\w-])", text) is not None


def render(path):
    """The page as plain text; what man or groff complain about is a problem."""
    run = subprocess.run(["man", "--warnings", "-Tutf8", "-l", str(path)], check=False,
                         capture_output=True, encoding="utf-8",
                         env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
    expect(run.returncode == 0, f"{path.name}: man failed")
    expect(run.stderr == "", f"{path.name}: {run.stderr.strip()}")
    text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", run.stdout)
    return re.sub(r"[\u2010\u2212]\n\s+", "", text).replace("\u2010", "-").replace("\u2212", "-")


def check_page(path, text, names):
    for section in SECTIONS:
        expect(f"\n{section}\n" in f"\n{text}", f"{path.name}: no section {section}")
    source = path.read_text(encoding="utf-8")
    for name, section in re.findall(r"^\.BR (bakplane\S*) \((\d)\)", source, re.MULTILINE):
        target = name.replace("\\-", "-") + "." + section
        expect(target in names, f"{path.name} refers to {target}, which does not exist")


def check_commands(pages):
    commands = tables.own_options()
    listed = pages["bakplane.1"]
    for command in commands:
        page = pages.get(f"bakplane-{command}.1", "")
        expect(page, f"bakplane-{command}(1) is missing")
        expect(f"bakplane-{command}(1)" in listed, f"bakplane(1) does not list {command}")
        text = tables.bakplane("help", command)
        expect(text == tables.bakplane(command, "--help"), f"help {command} and --help differ")
        for option in tables.command_options(command):
            expect(has_word(page, option), f"bakplane-{command}(1) lacks {option}")
            expect(has_word(text, option), f"{command} --help lacks {option}")
        for option in tables.global_options():
            expect(has_word(text, option), f"{command} --help lacks {option}")
    for option in tables.global_options():
        expect(has_word(listed, option), f"bakplane(1) lacks {option}")
    for code in ("0", "1", "2", "3", "130, 143"):
        expect(re.search(rf"^ +{code}\b", listed, re.MULTILINE), f"bakplane(1) lacks exit {code}")


def check_settings(pages):
    for section, keys in tables.core_keys().items():
        for key in keys:
            expect(has_word(pages["bakplane.yaml.5"], key), f"bakplane.yaml(5): {section}.{key}")
    for page, plugin in (("bakplane-storage-local.7", tables.STORAGE_PLUGIN),
                         ("bakplane-storage-s3.7", "s3"),
                         ("bakplane-storage-azure.7", "azure"),
                         ("bakplane-source-milvus.7", tables.SOURCE_PLUGIN)):
        for kind, keys in tables.plugin_keys(plugin).items():
            for key in keys:
                expect(has_word(pages[page], key["name"]), f"{page}: no {kind} {key['name']}")


def check_operations(pages):
    """Each operation of the ABI has a section, and each section is an operation: when it comes, what
    it may do and how it fails."""
    for kind in ("storage", "source"):
        text = (tables.TOP / f"sdk/include/bakplane/{kind}.h").read_text(encoding="utf-8")
        table = text[text.index(f"struct bp_{kind}_ops {{"):]
        operations = re.findall(r"\(\*(\w+)\)\(struct|\(\*(\w+)\)\(const struct bp_host", table)
        named = {one or other for one, other in operations}
        page = pages[f"bakplane-{kind}-plugin.3"]
        section = page[page.index("\nOPERATIONS\n"):]
        parts = re.split(r"^   (\w+)$", section, flags=re.MULTILINE)[1:]
        described = dict(zip(parts[::2], parts[1::2]))
        expect(named == set(described),
               f"bakplane-{kind}-plugin(3): {sorted(named ^ set(described))}")
        for operation, body in described.items():
            for tag in ("when", "may", "fails"):
                expect(re.search(rf"^       {tag} ", body, re.MULTILINE),
                       f"bakplane-{kind}-plugin(3): {operation} does not say: {tag}")


def check_capabilities(pages):
    """All that `info` can promise, and all classes of errors, are explained."""
    for kind, heading, header, pattern in (
            ("storage", "CAPABILITIES", "storage.h", r"^#define BP_STORE_(\w+)"),
            ("storage", "HOW TO FAIL", "error.h", r"^    BP_ERR_(\w+) = "),
            ("source", "FEATURES", "source.h", r"^#define BP_SOURCE_(\w+)")):
        text = (tables.TOP / "sdk/include/bakplane" / header).read_text(encoding="utf-8")
        names = re.findall(pattern, text, re.MULTILINE)
        page = pages[f"bakplane-{kind}-plugin.3"]
        section = page[page.index(f"\n{heading}\n"):]
        section = section[:re.search(r"\n\n[A-Z]", section).start()]
        expect(len(names) >= (2 if kind == "source" else 5), f"{header}: only {names}")
        for name in names:
            expect(has_word(section, name),
                   f"bakplane-{kind}-plugin(3): {heading} lacks {name}")


def main(share):
    paths = sorted(Path(share, "man").glob("man?/*"))
    pages = {path.name: render(path) for path in paths}
    for path in paths:
        check_page(path, pages[path.name], pages)
    check_commands(pages)
    check_settings(pages)
    check_operations(pages)
    check_capabilities(pages)
    for problem in problems:
        print(problem)
    print(f"{len(pages)} pages, {len(problems)} problems")
    return 1 if problems or len(pages) < 14 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
