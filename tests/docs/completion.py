#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""completion.py SHARE: the completions know every command and option, and bash can use them."""

import subprocess
import sys
from pathlib import Path

import tables

ASK = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_bakplane
printf '%s\\n' "${COMPREPLY[@]}"
"""
problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)


def ask(script, *words):
    """What bash offers for the last of `words`."""
    run = subprocess.run(["bash", "-c", ASK, "bash", str(script), "bakplane", *words],
                         capture_output=True, encoding="utf-8", check=True)
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


def check_words(script):
    """The others: that everything is in there; a shell that is installed checks its grammar."""
    text = script.read_text(encoding="utf-8")
    for command in tables.own_options():
        for option in tables.command_options(command):
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
    check_words(folder / "bakplane.zsh")
    check_words(folder / "bakplane.fish")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
