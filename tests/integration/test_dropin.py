# SPDX-License-Identifier: Apache-2.0
"""bakplane under the name of milvus-backup: the same lines have the same outcome as with 0.5.7.

What that tool does is written down (lib/dropin.py), so that only one program has to run here;
test_slow_dropin.py asks it anew.
"""

import pytest

from integration.lib import dropin

# Where the outcome differs on purpose: docs/compat.md.
ON_PURPOSE = {
    "list word": (1, "a word that means nothing is not ignored"),
    "list --collection=shop.items": (0, "there, no database may be named"),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, milvus_on_minio):
    return dropin.play_all(dropin.Stage(tmp_path_factory.mktemp("ours"), milvus_on_minio, True))


def test_each_line_has_the_same_outcome(outcomes):
    expected = dropin.recorded()
    assert list(outcomes) == list(expected)
    different, on_purpose = [], 0
    for name, one in outcomes.items():
        seen = {member: value for member, value in one.items() if member != "err"}
        line = name.partition(f"{dropin.NAME} ")[2]
        if line in ON_PURPOSE:
            assert one["code"] == ON_PURPOSE[line][0] and one["out"] != expected[name]["out"], name
            on_purpose += 1
        elif seen != expected[name]:
            different.append(f"{name}\n  {one}\n  {expected[name]}")
    assert not different, "\n".join(different)
    assert on_purpose == len(ON_PURPOSE)


def test_failures_are_said_on_standard_error_alone(outcomes):
    for name, one in outcomes.items():
        lines = [line for line in one["err"].splitlines() if line.startswith("error: ")]
        assert len(lines) == (1 if one["code"] else 0), f"{name}: {one['err']}"
