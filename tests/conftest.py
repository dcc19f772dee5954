"""What holds for all tests: networks run on one thread, and in CI nothing is skipped for want of a program."""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

MUST_RUN_IN_CI = ("PostgreSQL", "chromium")
"""Programs that tests/prepare.sh brings: in CI a test that skips because one is missing has failed."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    report = yield
    if report.skipped and os.environ.get("CI") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if any(program in reason for program in MUST_RUN_IN_CI):
            report.outcome = "failed"
            report.longrepr = f"skipped in CI, where it must run: {reason}"
    return report


def pytest_terminal_summary(terminalreporter) -> None:  # type: ignore[no-untyped-def]
    skipped = {
        report.longrepr[2] for report in terminalreporter.stats.get("skipped", []) if isinstance(report.longrepr, tuple)
    }
    for reason in sorted(skipped):
        terminalreporter.write_line(f"not tested here: {reason.removeprefix('Skipped: ')}")
