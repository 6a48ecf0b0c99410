#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kit's own ways: exit codes, what is refused, what a crash and a hang look like."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import kit

BROKEN = (Path(os.environ["BAKPLANE_BIN"]).parent.parent / "tests" / "plugins" / "broken" /
          "bakplane-storage-broken.so")
problems = []


def expect(holds, what, seen=""):
    if not holds:
        problems.append(f"{what}\n{seen}")


def call(*arguments):
    done = subprocess.run([kit.PROGRAM, *arguments], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout + done.stderr


def refused(what, says, *arguments):
    code, text = call(*arguments)
    expect(code == kit.EXIT_USAGE and says in text, f"{what}: exit code {code}", text)


def check_command(folder):
    good = folder / "good.yaml"
    good.write_text("storage: {space: one}\n", encoding="utf-8")
    refused("no plugin", "which plugin?")
    refused("no file", "--config FILE is missing", BROKEN)
    refused("two plugins", "one plugin at a time", BROKEN, BROKEN, "--config", good)
    refused("an unknown option", "unrecognized option", "--what")
    refused("a wrong kind", "neither storage nor source", "--kind", "both", "--list")
    refused("a wrong time", "no time of 1s to 24h", "--timeout", "0", "--list")
    refused("a missing plugin", "No such file", folder / "none.so", "--config", good)
    refused("a missing file", "No such file", BROKEN, "--config", folder / "none.yaml")
    refused("no such check", "names no check", BROKEN, "--config", good, "--only", "write.nothing")
    code, text = call("--help")
    expect(code == 0 and "Exit code" in text, "--help", text)
    code, text = call("--version")
    expect(code == 0 and "plugin ABI 1." in text, "--version", text)
    code, text = call("--list", "--only", "load.e*")
    names = [line.split()[0] for line in text.splitlines()]
    expect(code == 0 and names == ["load.exports", "load.entry"], "--list --only", text)


def check_files(folder):
    for name, text, says in (
            ("empty", "", "the file is empty"),
            ("a list", "- a\n", "expected names with values"),
            ("given twice", "storage: {space: a, space: b}\n", ":1: space: given twice"),
            ("no YAML", "storage: {\n", "did not find"),
            ("unknown", "storage: {spice: one}\n", "spice: the plugin has no such setting"),
            ("missing", "storage: {}\n", "space is required, and not given"),
            ("no value", "storage: {space: one, quota: much}\n", "\"much\" is no value"),
            ("no secret", "storage: {space: one, token: {file: /none}}\n", "token: expected"),
            ("no such name", "storages: {space: one}\n", ":1: storages: there is no such name"),
            ("no such hook", "storage: {space: one}\nhooks:\n  secnd: {space: two}\n",
             ":3: hooks.secnd: there is no such name; known are second, other_login"),
            ("a hook of sources", "hooks: {seed: x}\n", "hooks.seed: there is no such name"),
            ("a hook without settings", "hooks: {second: two}\n",
             "hooks.second: expected names with values"),
            ("within a hook", "hooks: {server: {answer: []}}\n", "hooks.server.answer: there is"),
            ("within a list", "hooks: {server: {answers: [{code: 1}]}}\n",
             "hooks.server.answers.code: there is")):
        path = folder / "bad.yaml"
        path.write_text(text, encoding="utf-8")
        refused(name, says, BROKEN, "--config", path)


def check_reports(folder):
    config = {"storage": {"space": "one"}}
    hang = kit.run(BROKEN, config, "--only", "remove.many", "--timeout", "1s", folder=folder,
                   BROKEN_AS="remove-many-hangs")
    expect("did not end within 1 s: in or after remove_many" in hang.failed.get("remove.many", ""),
           "a hang", hang)
    crash = kit.run(BROKEN, config, "--only", "remove.*", folder=folder,
                    BROKEN_AS="crashes-in-close")
    expect("ended by SIGABRT, in or after close" in crash.failed.get("remove.many", ""),
           "a crash", crash)
    expect(crash.code == kit.EXIT_FAILED and crash.planned == 4 and len(crash.passed) == 3,
           "what is beside a crash", crash)
    prints = kit.run(BROKEN, config, "--only", "write.sizes", folder=folder, BROKEN_AS="prints")
    expect(prints.code == kit.EXIT_PASSED and "an instance was opened" in prints.err,
           "what a plugin prints", prints)


def files_in(folder):
    return [path for path in folder.rglob("*")
            if path.is_file() and ".bakplane-tmp" not in path.parts]


def check_bail_out(folder):
    """What checks before had written is removed."""
    local = kit.PLUGINS / "bakplane-storage-local.so"
    if not local.exists():
        return
    config = {"storage": {"root": f"{folder}/root"}, "hooks": {"many": "few"}}
    result = kit.run(local, config, "--only", "list.prefix,list.many", folder=folder)
    expect(result.code == kit.EXIT_USAGE and "Bail out! line" in result.out, "a bail out", result)
    expect(files_in(folder / "root") == [], f"left are {files_in(folder / 'root')}", result)


def check_links(folder):
    """bakplane goes by the name of a link, and whoever may change it chooses the plugin."""
    link = folder / "loose" / "bakplane-storage-alias.so"
    link.parent.mkdir()
    link.parent.chmod(0o777)
    link.symlink_to(BROKEN)
    result = kit.run(link, {"storage": {"space": "one"}}, "--only", "load.file_name,load.trust",
                     "--trust", link.parent, folder=folder)
    expect("called bakplane-storage-alias.so" in result.failed.get("load.file_name", ""),
           "the name of a link", result)
    expect(f"others may write to {link.parent}" in result.failed.get("load.trust", ""),
           "a link that others may change", result)


def child_of(pid, seconds=60):
    """A child that stays."""
    last, since = None, time.monotonic()
    end = since + seconds
    while time.monotonic() < end:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        if not children or children[0] != last:
            last, since = children[0] if children else None, time.monotonic()
        elif time.monotonic() > since + 0.5:
            return last
        time.sleep(0.02)
    return None


def is_gone(pid, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ") Z " in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8"):
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def check_killed(folder):
    """No check goes on when the program is gone."""
    path = folder / "kit.yaml"
    path.write_text("storage: {space: one}\n", encoding="utf-8")
    running = subprocess.Popen([kit.PROGRAM, BROKEN, "--config", path, "--only", "remove.many"],
                               env={**os.environ, "BROKEN_AS": "remove-many-hangs"},
                               stdout=subprocess.DEVNULL)
    child = child_of(running.pid)
    running.kill()
    running.wait()
    expect(child is not None and is_gone(child), f"child {child} goes on")


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_command(Path(folder))
        check_files(Path(folder))
        check_reports(Path(folder))
        check_bail_out(Path(folder))
        check_links(Path(folder))
        check_killed(Path(folder))
    print(*problems, f"{len(problems)} problems", sep="\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
