#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""completion.py SHARE: the completions know every command and option, and bash can use them."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import tables

ASK = """
source "$1"
complete=$2
shift 2
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
"$complete"
printf '%s\\n' "${COMPREPLY[@]}"
"""
ALIAS = "milvus-backup"
problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)


def ask(script, *words, function="_bakplane", program="bakplane", **variables):
    """What bash offers for the last of `words`."""
    run = subprocess.run(["bash", "-c", ASK, "bash", str(script), function, program, *words],
                         capture_output=True, encoding="utf-8", check=True,
                         env={**os.environ, **variables})
    expect(run.stderr == "", f"bash: {run.stderr}")
    return run.stdout.split()


def check_bash(script):
    subprocess.run(["bash", "-n", str(script)], check=True)
    commands = set(tables.own_options())
    expect(commands <= set(ask(script, "")), "bash does not offer every command")
    expect(ask(script, "cre") == ["create"], "bash does not complete cre to create")
    for command in commands:
        offered = ask(script, "--config", "x.yaml", command, "-")
        for option in tables.command_options(command) + tables.global_options():
            expect(option in offered, f"bash: {command} lacks {option}")
    expect(ask(script, "create", "--prove", "s") == ["size", "stream"], "bash: choices of --prove")
    expect(ask(script, "create", "-n", "") == [], "bash: offers names for a new backup")
    expect(ask(script, "plugin", "i") == ["info"], "bash: words of plugin")


def alias_options():
    """{command: {option: what becomes of it}} of the other tool, from docs/compat.md."""
    text = (tables.TOP / "docs/compat.md").read_text(encoding="utf-8")
    found = {command: {} for command, fate in re.findall(r"^\| `(\w+)` \| (\S+) \|", text, re.M)
             if fate == "done"}
    for command, option, fate in re.findall(r"^\| `?(\w+)`? \| `(--\w+)` \| (\S+) \|", text, re.M):
        for each in found if command == "every" else [command]:
            found[each][option] = fate
    return found


def check_alias(script, folder):
    """Its commands and options under the other tool's name; what has no effect is not offered."""
    def offered(*words, **variables):
        return ask(script, *words, function="_bakplane_alias", program=ALIAS, **variables)

    subprocess.run(["bash", "-n", str(script)], check=True)
    options = alias_options()
    expect(len(options) >= 7 and len(options["create"]) > 10, f"of {ALIAS} only {options} is known")
    expect(set(options) <= set(offered("")), f"{ALIAS}: bash does not offer every command")
    expect("l0compact" not in offered(""), f"{ALIAS}: bash offers what is refused")
    for command, fates in options.items():
        there = offered("--config", "x.yaml", command, "-")
        for option, fate in fates.items():
            expect((option in there) == (fate == "done"), f"{ALIAS}: {command} {option} is {fate}")
    expect(offered("config", "m") == ["migrate"], f"{ALIAS}: words of config")
    expect(offered("create", "-n", "") == [], f"{ALIAS}: offers names for a new backup")
    fake = Path(folder, ALIAS)
    fake.write_text("#!/bin/sh\necho '>> Backups:'\necho one\necho two\n", encoding="utf-8")
    fake.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    expect(offered("get", "-n", "t", PATH=path) == ["two"], f"{ALIAS}: names of backups")
    return {command: [o for o, fate in fates.items() if fate == "done"]
            for command, fates in options.items()}


def own_commands():
    return {command: tables.command_options(command) for command in tables.own_options()}


def check_words(script, commands):
    """The others: that everything is in there; a shell that is installed checks its grammar."""
    text = script.read_text(encoding="utf-8")
    for command, options in commands.items():
        for option in options:
            name = option.lstrip("-")
            expect(f"-l {name} " in text or f"-s {name} " in text or f"'{option}[" in text,
                   f"{script.name}: {command} lacks {option}")
    shell = script.suffix[1:]
    try:
        subprocess.run([shell, "-n", str(script)], check=True)
    except FileNotFoundError:
        print(f"{shell} is not here to read {script.name}")


def main(share):
    folder = Path(share, "bakplane/completions")
    check_bash(folder / "bakplane.bash")
    check_words(folder / "bakplane.zsh", own_commands())
    check_words(folder / "bakplane.fish", own_commands())
    with tempfile.TemporaryDirectory() as scratch:
        commands = check_alias(folder / "alias.bash", scratch)
    check_words(folder / "alias.zsh", commands)
    check_words(folder / "alias.fish", commands)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
