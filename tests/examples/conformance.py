# SPDX-License-Identifier: Apache-2.0
"""The conformance kit on a storage of the examples, as its author would run it."""

import re

from kit import kit

# What these plugins do not promise, and what would need more than one server.
NOT_THERE = (r"load\.(trust|init_fails)|parts\..*|copy\..*|remove\.(many|if_match)|memory\.refused|"
             r"write\.(abort_uploads|if_match|checksum|full)|errors\.expired")


def check(plugin, config, folder, failed=(), skipped="-"):
    """All of it, but for the checks in `failed`; `skipped`: what else is, as a pattern."""
    result = kit.run(plugin, config, folder=folder)
    print(result)
    assert set(result.failed) == set(failed)
    assert result.planned == len(result.names)
    other = {name for name in result.skipped
             if not re.fullmatch(f"{NOT_THERE}|{skipped}", name)}
    assert other == set()
