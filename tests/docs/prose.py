#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""prose.py SHARE: README and docs/ say what is true.

Links lead somewhere, tests that are named exist, shell blocks are shell and use options that there
are, YAML blocks are configurations that the program accepts, JSON blocks are JSON.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import tables

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def check_links(path, text):
    for link in LINK.findall(text):
        file, _, part = link.partition("#")
        if re.match(r"https?:", link):
            continue
        target = (path.parent / file) if file else path
        if not target.exists():
            problems.append(f"{path.name}: {link} leads nowhere")
        elif part:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            expect(part in map(anchor, headings), f"{path.name}: {link}: no such heading")
    for test in set(re.findall(r"`(test_\w+\.py)`", text)):
        expect(list((tables.TOP / "tests").rglob(test)), f"{path.name}: there is no {test}")


def check_command(path, words):
    """One call of bakplane in a shell block."""
    known = tables.global_options()
    takes_value = {"--config", "--set", "--report", "--progress", "--log-format"}
    rest = list(words)
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in takes_value else rest[1:]
    if not rest or rest[0] == "help":
        return
    command = rest[0]
    if command not in tables.own_options():
        problems.append(f"{path.name}: bakplane has no command {command}")
        return
    known += tables.command_options(command)
    for word in words:
        option = word.partition("=")[0].replace("_", "-")
        if word.startswith("-") and option not in known:
            expect(option.replace("--no-", "--", 1) in known,
                   f"{path.name}: bakplane {command} has no {option}")


def check_shell(path, block):
    run = subprocess.run(["sh", "-n"], input=block, encoding="utf-8", capture_output=True,
                         check=False)
    expect(run.returncode == 0, f"{path.name}: {run.stderr}")
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["bakplane"]:
            check_command(path, words[1:])


def check_yaml(path, block):
    """The whole configuration, or a piece that a complete one has room for."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "bakplane.yaml")
        secret = Path(folder, "secret")
        secret.write_text("x\n", encoding="utf-8")
        secret.chmod(0o600)
        text = re.sub(r"/etc/bakplane/[\w-]+\.(pw|key|sas)", str(secret), block)
        if "source:" not in text:
            text += f"source: {{plugin: {tables.SOURCE_PLUGIN}}}\nbackup: {{storage: backups}}\n"
        for system, here in (("milvus:backup", "0:0"), ("server_user: milvus", "server_user: 0")):
            text = text.replace(system, here)
        file.write_text(text, encoding="utf-8")
        run = subprocess.run([tables.BIN, "--config", file, "config", "show"], check=False,
                             env=tables.environment(), encoding="utf-8", capture_output=True)
        expect(run.returncode == 0, f"{path.name}: {run.stderr}")


def check_json(path, block):
    try:
        json.loads(block)
    except ValueError as error:
        problems.append(f"{path.name}: {error}: {block[:60]}")


def check_blocks(path, text):
    checks = {"sh": check_shell, "yaml": check_yaml, "json": check_json}
    found = 0
    for language, block in BLOCK.findall(text):
        if language in checks and not (language == "json" and "…" in block):
            checks[language](path, block)
            found += 1
    return found


def check_reference():
    """Each key of the core has its line in the reference."""
    text = (tables.TOP / "docs/reference/config.md").read_text(encoding="utf-8")
    for section, keys in tables.core_keys().items():
        for key in keys:
            expect(f"`{key}`" in text or f"## {key}" in text,
                   f"config.md: no {section} {key}")


def check_codes():
    """What a storage plugin has advice about is in its page, and the page names no other codes."""
    row = re.compile(r'\{"([\w.]+)",\s*BP_ERR_\w+,\s*(NULL)?')
    for plugin in ("s3", "azure"):
        page = tables.TOP / f"docs/guide/storage-{plugin}.md"
        source = tables.TOP / f"plugins/storage-{plugin}/errors.c"
        known = row.findall(source.read_text(encoding="utf-8"))
        table = page.read_text(encoding="utf-8").partition("## Errors and what to do")[2]
        said = set(re.findall(r"`([A-Z][\w.]*[a-z][\w.]*)`", table))
        advised = {code for code, nothing in known if not nothing}
        expect(len(advised) > 20, f"{source.name} of {plugin}: no table of codes")
        for code in sorted(advised - said):
            problems.append(f"{page.name}: nothing about {code}")
        for code in sorted(said - {code for code, _ in known}):
            if f'"{code}"' not in source.read_text(encoding="utf-8"):
                problems.append(f"{page.name}: the plugin does not know {code}")


def main():
    os.environ.pop("BAKPLANE_CONFIG", None)
    paths = [tables.TOP / "README.md", *sorted((tables.TOP / "docs").rglob("*.md"))]
    blocks = 0
    for path in paths:
        text = path.read_text(encoding="utf-8")
        check_links(path, text)
        blocks += check_blocks(path, text)
    check_reference()
    check_codes()
    for problem in problems:
        print(problem)
    print(f"{len(paths)} pages, {blocks} blocks, {len(problems)} problems")
    return 1 if problems or blocks < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
