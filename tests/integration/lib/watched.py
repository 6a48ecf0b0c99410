# SPDX-License-Identifier: Apache-2.0
"""Servers that a sanitizer watches, where the build has one."""

import os
import re

COMPLAINT = re.compile(r"Sanitizer|runtime error:|CRITICAL|Assertion")


def environment():
    """What sanitizers are told; servers of the tests have an environment of their own."""
    return {name: value for name, value in os.environ.items()
            if name.endswith("SAN_OPTIONS") or name.startswith("G_")}


def end(server):
    """It ends by itself when it is asked to, with 0: one that is killed tells nothing of leaks,
    and one that has leaked ends with another code."""
    code = server.end()
    log = server.log.read_text(encoding="utf-8", errors="replace")
    assert not COMPLAINT.search(log), log[-9000:]
    assert code == 0, f"exit code {code}:\n{log[-9000:]}"
