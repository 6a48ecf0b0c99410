# SPDX-License-Identifier: Apache-2.0
"""The real milvus-backup 0.5.7 does what was written down of it: see lib/dropin.py."""

import pytest

from integration.lib import dropin


def test_the_record_is_true(tmp_path, milvus_on_minio):
    stage = dropin.Stage(tmp_path, milvus_on_minio, ours=False)
    outcomes = dropin.play_all(stage)
    for outcome in outcomes.values():
        del outcome["err"]
    dropin.record(outcomes)
    expected = dropin.recorded()
    assert list(outcomes) == list(expected), "the record is of another list: BAKPLANE_RECORD=1"
    different = [name for name, one in outcomes.items() if one != expected[name]]
    if different:
        pytest.fail("\n".join(f"{name}\n  {outcomes[name]}\n  {expected[name]}"
                              for name in different))
