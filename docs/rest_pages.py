#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is made of docs/reference/openapi.json, by the standard library alone.

rest_pages.py markdown OPENAPI OUT    the page docs/reference/rest.md
rest_pages.py html OPENAPI OUT        the page that a server shows: no script, and it loads nothing
rest_pages.py c OPENAPI OUT           both, for a program to have in it (core/server/api_docs.h)
"""

import html
import json
import re
import sys
import textwrap
from pathlib import Path

METHODS = ("get", "put", "post", "delete", "patch")
# Answers of every request, which the first paragraphs tell of.
EVERYWHERE = ("401", "403", "default")
ROLES = {"none": "without a token", "read": "role `read`", "operate": "role `operate`"}

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem;
       color: #1b1f24; background: #fff; }
h1, h2 { border-bottom: 1px solid #d0d7de; padding-bottom: .2rem; }
h3 { margin-top: 2rem; }
code { font: .9em ui-monospace, monospace; background: #f0f2f4; padding: .1em .3em;
       border-radius: .2em; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #d0d7de; padding: .3rem .6rem; text-align: left; vertical-align: top; }
@media (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117; } code { background: #21262d; } a { color: #6cb6ff; }
  h1, h2, th, td { border-color: #30363d; } }
"""


class Document:
    """The description, with its references followed."""

    def __init__(self, path):
        self.root = json.loads(Path(path).read_text(encoding="utf-8"))

    def at(self, node):
        """The node itself, or what it refers to."""
        while "$ref" in node:
            target = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def operations(self, tag):
        for path, methods in self.root["paths"].items():
            for method, operation in methods.items():
                if method in METHODS and tag in operation["tags"]:
                    yield path, method, operation

    @property
    def schemas(self):
        return self.root["components"]["schemas"]


def role_of(operation):
    """The role that an operation needs: "none", "read" or "operate"."""
    needs = operation["security"]
    return needs[0]["token"][0] if needs else "none"


def type_of(schema):
    """A schema in a few words, as Markdown."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "oneOf" in schema:
        return "one of " + ", ".join(map(type_of, schema["oneOf"]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "type" not in schema:
        return "anything"
    if isinstance(schema["type"], list):
        return " or ".join(type_of({**schema, "type": one}) for one in schema["type"])
    if schema["type"] == "array":
        return "list of " + type_of(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        return "object of " + type_of(schema["additionalProperties"])
    words = {"string": "text", "integer": "number", "boolean": "true or false", "object": "object",
             "null": "null"}
    text = "time" if schema.get("format") == "date-time" else words[schema["type"]]
    if "minimum" in schema and "maximum" in schema:
        text += f", {schema['minimum']} to {schema['maximum']}"
    if "default" in schema:
        text += f"; without it `{json.dumps(schema['default'])}`"
    return text


def row(*cells):
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def table(*header):
    return [row(*header), row(*["---"] * len(header))]


def parameters_of(document, operation):
    lines = []
    for parameter in map(document.at, operation.get("parameters", [])):
        if parameter["in"] == "path":
            where = "in the path"
        else:
            where = {"query": "parameter", "header": "header"}[parameter["in"]]
        lines.append(row(f"`{parameter['name']}`", where, type_of(parameter["schema"]),
                         parameter.get("description", "")))
    body = operation.get("requestBody")
    if body:
        schema = body["content"]["application/json"]["schema"]
        needed = "" if body["required"] else "may be missing"
        lines.append(row("body", "JSON", type_of(schema), needed))
    return table("", "", "", "") + lines if lines else []


def answers_of(document, operation):
    lines = table("answer", "", "")
    for status, answer in operation["responses"].items():
        if status in EVERYWHERE:
            continue
        answer = document.at(answer)
        shown = ""
        for kind, content in answer.get("content", {}).items():
            shown = type_of(content["schema"]) if "json" in kind else f"`{kind}`"
        lines.append(row(status, shown, answer["description"]))
    return lines


def paragraphs(text):
    """Wrapped as the other pages are."""
    return ["\n".join(textwrap.wrap(part, 120, break_long_words=False, break_on_hyphens=False))
            for part in text.split("\n\n")]


def operation_lines(document, path, method, operation):
    yield f"### {method.upper()} {path}"
    yield ""
    yield f"{operation['summary']}; {ROLES[role_of(operation)]}."
    if "description" in operation:
        yield ""
        yield from paragraphs(operation["description"])
    for block in (parameters_of(document, operation), answers_of(document, operation)):
        if block:
            yield ""
            yield from block
    yield ""


def schema_lines(name, schema):
    yield f"### {name}"
    yield ""
    if "description" in schema:
        yield schema["description"]
        yield ""
    if "properties" not in schema:
        yield type_of(schema)
        yield ""
        return
    needed = schema.get("required", [])
    yield from table("member", "", "")
    for member, one in schema["properties"].items():
        about = one.get("description", "")
        yield row(f"`{member}`" + (" *" if member in needed else ""), type_of(one), about)
    yield ""
    if needed:
        yield "\\* always there." if schema.get("additionalProperties", True) else "\\* needed."
        yield ""


def anchor_of(text):
    """Of a heading, as those who show Markdown make it."""
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


def contents(document):
    """A line for each request."""
    yield from table("request", "", "")
    for tag in document.root["tags"]:
        for path, method, operation in document.operations(tag["name"]):
            title = f"{method.upper()} {path}"
            yield row(f"[{title}](#{anchor_of(title)})", operation["summary"],
                      ROLES[role_of(operation)])


def markdown(document):
    """The whole page."""
    root = document.root
    lines = ["# REST", "", "Made from [openapi.json](openapi.json) by docs/rest_pages.py. A server has "
             "both: at `/api/v2/openapi.json`, and as\na page at `/api/v2/docs`.", "",
             "\n\n".join(paragraphs(root["info"]["description"])), "", "## Who may", "",
             *paragraphs(root["components"]["securitySchemes"]["token"]["description"]), "",
             *contents(document), ""]
    for tag in root["tags"]:
        lines += [f"## {tag['name']}", "", tag["description"], ""]
        for found in document.operations(tag["name"]):
            lines += operation_lines(document, *found)
    lines += ["## Objects", ""]
    for name, schema in document.schemas.items():
        lines += schema_lines(name, schema)
    return "\n".join(lines).rstrip() + "\n"


def inline(text):
    """Code, links and the star of Markdown as HTML."""
    text = html.escape(text.replace("\\*", "*").replace("\\|", "|"), quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', text)


def heading(line, used):
    marks, _, text = line.partition(" ")
    anchor = anchor_of(text)
    if anchor in used:  # an object and a part of the same name
        anchor += "-1"
    used.add(anchor)
    return f'<h{len(marks)} id="{anchor}">{inline(text)}</h{len(marks)}>'


def rows_html(rows):
    """Lines of a table of Markdown; cells never hold a bar that is not escaped."""
    cells = [[inline(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in rows]
    head, body = cells[0], cells[2:]
    yield "<table>"
    if any(head):
        yield "<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"
    for line in body:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>"
    yield "</table>"


def page(document):
    """The same as one HTML page."""
    text = markdown(document).replace("](openapi.json)", "](/api/v2/openapi.json)")
    out, used = [], set()
    for block in re.split(r"\n\n+", text.strip()):
        lines = block.splitlines()
        if block.startswith("#"):
            out.append(heading(block, used))
        elif block.startswith("| "):
            out += rows_html(lines)
        else:
            out.append(f"<p>{inline(' '.join(lines))}</p>")
    title = html.escape(document.root["info"]["title"])
    return ("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            f"<title>{title}: REST</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
            + "\n".join(out) + "\n</body>\n</html>\n")


def c_text(name, text):
    """A C array: literals of that length are more than every compiler has to take."""
    data = text.encode() + b"\0"
    lines = [", ".join(map(str, data[at:at + 24])) for at in range(0, len(data), 24)]
    return f"const char {name}[] = {{\n    " + ",\n    ".join(lines) + "};\n"


def embedded(document):
    compact = json.dumps(document.root, ensure_ascii=True, separators=(",", ":"))
    return ("/* Made of docs/reference/openapi.json by docs/rest_pages.py. */\n"
            '#include "core/server/api_docs.h"\n\n'
            + c_text("bp_api__openapi", compact) + "\n"
            + c_text("bp_api__page", page(document).encode("ascii", "xmlcharrefreplace").decode()))


def main(form, source, target):
    document = Document(source)
    make = {"markdown": markdown, "html": page, "c": embedded}[form]
    Path(target).write_text(make(document), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
