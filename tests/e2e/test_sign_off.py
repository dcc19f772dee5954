"""Signing a report off, and coming back to it."""

import pytest

from tests.e2e.conftest import RunningService, Watched
from tests.e2e.test_dashboard import audit_compas

pytestmark = pytest.mark.browser


def test_a_check_is_signed_off_on_the_page_of_the_report(signed_in: Watched, service: RunningService) -> None:
    page = signed_in.page
    audit_compas(signed_in, service, title="to be signed off")
    page.select_option("#finding", label="Impact ratio, race: disparity proven")
    page.select_option("#decision", "needs_work")
    page.fill("#justification", "The committee looks at the threshold again.\nUntil then nobody is held by it.")
    page.click("text=Put on record")
    page.wait_for_url("**/reports/*#sign-off")

    row = page.inner_text("section[aria-labelledby=sign-off] tbody tr")
    assert "Impact ratio, race" in row
    assert "needs work" in row
    assert "The committee looks at the threshold again.\nUntil then nobody is held by it." in row
    assert "admin" in row
    assert "1 decision on record" in page.inner_text("main").replace("One", "1")
    for width in (1200, 400):
        page.set_viewport_size({"width": width, "height": 900})
        assert not signed_in.overflows()
        signed_in.shot(f"dashboard-sign-off-{width}")
    assert signed_in.complaints == []


def test_a_justification_without_spaces_stays_in_its_column(signed_in: Watched, service: RunningService) -> None:
    page = signed_in.page
    audit_compas(signed_in, service, title="one long word")
    page.select_option("#decision", "accepted")
    page.fill("#justification", "x" * 300)
    page.click("text=Put on record")
    page.wait_for_url("**/reports/*#sign-off")

    for width in (1200, 390):
        page.set_viewport_size({"width": width, "height": 900})
        cell = page.locator("td[data-is=Justification]")
        assert cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth"), width
        assert page.locator("[aria-label=Decisions]").evaluate("box => box.scrollWidth <= box.clientWidth"), width
