# SPDX-License-Identifier: Apache-2.0
"""What the gates of the ABI share: the headers as a list of structures and constants, and what
is recorded of them."""

import re
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
SDK_INCLUDE = TOP / "sdk" / "include"
LAYOUT = HERE / "layout_v1.txt"

STRUCT = re.compile(r"^struct (bp_\w+) \{\n(.*?)^\};", re.M | re.S)
ENUM = re.compile(r"^enum bp_\w+ \{(.*?)\};", re.M | re.S)
MACRO = re.compile(r"^#define (BP_\w+)(?: |\t|\\\n)+\S", re.M)
OPERATION = re.compile(r"\(\*(\w+)\)\s*\(")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
# They are no values, or change with every minor.
NO_CONSTANTS = ("BP_BEGIN_DECLS", "BP_END_DECLS", "BP_PLUGIN_EXPORT", "BP_ABI_MINOR",
                "BP_ERR_CLASS_END")
TEXTS = ("BP_PLUGIN_ENTRY",)
# Others embed it, so that it never grows.
EMBEDDED = "bp_checksum"


def headers(include):
    return sorted(Path(include, "bakplane").glob("*.h"))


def members_of(body):
    """Names of the members, in order, from the text between the braces."""
    for statement in COMMENT.sub("", body).split(";"):
        statement = " ".join(statement.split())
        if not statement:
            continue
        operation = OPERATION.search(statement)
        if operation:
            yield operation.group(1)
            continue
        for declarator in statement.split(","):
            name = re.search(r"(\w+)(\[[^]]*\])?$", declarator.strip())
            if name is None:
                raise SystemExit(f"cannot read the declaration: {statement}")
            yield name.group(1)


def structures(include):
    """(name, [member, …]) of each structure that is defined."""
    for header in headers(include):
        for name, body in STRUCT.findall(header.read_text("utf-8")):
            yield name, list(members_of(body))


def constants(include):
    """Names of macros and enumerators that are part of the contract."""
    for header in headers(include):
        text = header.read_text("utf-8")
        names = MACRO.findall(text)
        for body in ENUM.findall(text):
            names += re.findall(r"\bBP_\w+(?=\s*(?:=|,|\Z))", COMMENT.sub("", body).strip())
        yield from (name for name in names if name not in NO_CONSTANTS)


def write_shortened(include, out, older):
    """Headers in which structures end where those of an older minor did."""
    ends = {name: members[-1] for name, members in structures(older)}

    def shortened(match):
        name, body = match.groups()
        if name not in ends:
            return match.group(0)
        statements = COMMENT.sub("", body).split(";")
        for number, statement in enumerate(statements):
            if ends[name] in members_of(statement + ";"):
                statements = statements[:number + 1] + ["\n"]
                break
        return f"struct {name} {{\n{';'.join(statements)}}};"

    folder = Path(out, "bakplane")
    folder.mkdir()
    for header in headers(include):
        text = STRUCT.sub(shortened, header.read_text("utf-8"))
        (folder / header.name).write_text(text, encoding="utf-8")


def lengthen(include):
    """Append a member to each structure that may grow, in place."""
    def lengthened(match):
        name, body = match.groups()
        later = "" if name == EMBEDDED else "    uint64_t later;\n"
        return f"struct {name} {{\n{body}{later}}};"

    for header in headers(include):
        header.write_text(STRUCT.sub(lengthened, header.read_text("utf-8")), encoding="utf-8")


def minor(include):
    text = Path(include, "bakplane/abi.h").read_text("utf-8")
    return int(re.search(r"^#define BP_ABI_MINOR (\d+)$", text, re.M).group(1))


def recorded():
    """The folders of frozen headers, by minor."""
    found = {int(path.name.removeprefix("v1.")): path for path in HERE.glob("v1.*")}
    return dict(sorted(found.items()))


def output_of(compiler, include, source):
    """What a C program prints that includes the headers."""
    with tempfile.TemporaryDirectory() as folder:
        path, binary = Path(folder, "x.c"), Path(folder, "x")
        path.write_text(source, encoding="utf-8")
        subprocess.run([compiler, f"-I{include}", "-o", binary, path], check=True)
        return subprocess.run([binary], check=True, capture_output=True, text=True).stdout
