# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: on continuous integration a skipped test is a failed test.

Whatever a test needs, the set-up there should have installed, or it lies in the folder beside the
repository.
"""

import os

import pytest


def forbid(report, name):
    """Turn a skip into a failure where it is one."""
    if not report.skipped or hasattr(report, "wasxfail") or os.environ.get("CI") != "true":
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{name}: skipped on CI: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    forbid(report, item.nodeid)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    forbid(report, collector.nodeid)
    return report
