#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics of the code, their table in docs/guide/operations.md, and the alerts on them.

Each metric is in the table with its type, and nothing else is; alerts name metrics, labels and
values of labels that there are.
"""

import re
import sys

import tables

FAMILY = re.compile(r'\{\s*"((?:bakplane|process)_\w+)",\s*BP_PROM_(\w+),')
ROW = re.compile(r"^\| `((?:bakplane|process)_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
RULE = re.compile(r'      - alert: (\w+)\n        expr: (?:>-\n          )?(.+)\n'
                  r'(?:        for: \d+[mh]\n)?        labels: \{severity: (?:warning|critical)\}\n'
                  r'        annotations:\n          summary: "[^"\n]+"\n'
                  r'          description: "[^"\n]+"\n')
SELECTOR = re.compile(r"\b((?:bakplane|process)_\w+)(\{[^}]*\})?")
MATCHER = re.compile(r'(\w+)(?:=~|!~|!=|=)"([^"]*)"')
problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)


def read(path):
    return (tables.TOP / path).read_text(encoding="utf-8")


def in_code():
    """{metric: type}"""
    text = "".join(path.read_text(encoding="utf-8")
                   for path in sorted((tables.TOP / "core/server").glob("metrics*.c")))
    return {name: kind.lower() for name, kind in FAMILY.findall(text)}


def in_table():
    """{metric: (type, labels)}"""
    return {name: (kind, set(re.findall(r"`(\w+)`", labels)))
            for name, kind, labels in ROW.findall(read("docs/guide/operations.md"))}


def known_values():
    """{label: what it may be}, of those that only have a few."""
    tally = read("core/jobs/tally.c")
    words = {name: set(re.findall(r'"([\w-]+)"', body)) for name, body in
             re.findall(r"static const char \*const (\w+)\[\] = \{(.*?)\};", tally, re.DOTALL)}
    classes = set(re.findall(r'\[BP_\w+\] = "([\w-]+)"', read("sdk/lib/errors.c")))
    stats = re.search(r"operations\[\] = \{(.*?)\};", read("core/plugin/stats.c"), re.DOTALL)
    return {"verb": words["verbs"], "state": words["states"], "outcome": classes, "why": classes,
            "operation": set(re.findall(r'"(\w+)"', stats.group(1)))}


def metric_of(name, table):
    """A histogram has three names."""
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if table.get(base, ("",))[0] == "histogram" else name


def check_selector(alert, name, matchers, table):
    metric = metric_of(name, table)
    if metric not in table:
        problems.append(f"{alert}: there is no {name}")
        return
    values = known_values()
    for label, wanted in MATCHER.findall(matchers):
        expect(label in table[metric][1] | {"job", "instance"}, f"{alert}: {metric} has no {label}")
        for value in wanted.split("|") if label in values else ():
            expect(value in values[label], f"{alert}: {label} is never {value}")


def check_alerts(table):
    text = read("docs/examples/alerts.yml")
    rules = RULE.findall(text)
    expect(len(rules) == text.count("- alert:"), "alerts.yml: a rule of another form")
    described = set(re.findall(r"`(Bakplane\w+)`", read("docs/guide/operations.md")))
    expect({name for name, _ in rules} == described, "alerts.yml and operations.md differ")
    for alert, expression in rules:
        found = SELECTOR.findall(expression)
        expect(found or "up{" in expression, f"{alert}: no metric in {expression}")
        for opening, closing in ("()", "{}", "[]"):
            expect(expression.count(opening) == expression.count(closing), f"{alert}: {expression}")
        for name, matchers in found:
            check_selector(alert, name, matchers, table)
    return len(rules)


def main():
    code, table = in_code(), in_table()
    expect(len(code) > 15, "metrics*.c: their families are not found")
    for name in sorted(code.keys() | table.keys()):
        expect(name in table, f"operations.md: no {name}")
        expect(name in code, f"operations.md: {name} is not in the code")
        if name in code and name in table:
            expect(code[name] == table[name][0], f"operations.md: {name} is a {code[name]}")
            expect((code[name] == "counter") == name.endswith("_total"), f"{name}: its name lies")
    rules = check_alerts(table)
    for problem in problems:
        print(problem)
    print(f"{len(code)} metrics, {rules} alerts, {len(problems)} problems")
    return 1 if problems or rules < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
