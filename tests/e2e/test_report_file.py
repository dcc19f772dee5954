"""The report as a file, opened from disk in a real browser."""

from pathlib import Path

import pytest

from evenhand.service import render
from tests.e2e.conftest import Watched
from tests.service.render import examples

pytestmark = pytest.mark.browser

CONTRAST = """() => {
  const linear = c => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4 };
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const ground = node => { for (let n = node; n; n = n.parentElement) {
    const c = parse(getComputedStyle(n).backgroundColor); if (c.length < 4 || c[3] > 0) return c } return [255, 255, 255] };
  const poor = [];
  for (const node of document.querySelectorAll('main *, header *')) {
    if (![...node.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    const ink = node.namespaceURI.endsWith('svg') ? style.fill : style.color;
    const [a, b] = [light(parse(ink)), light(ground(node))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) poor.push(`${node.tagName} ${node.className} ${node.textContent.slice(0, 40)} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
"""WCAG 2.2, 1.4.3: text stands out from its ground by 4.5 to 1."""


@pytest.fixture(params=["compas", "everything", "hostile", "many_groups"])
def page_name(request: pytest.FixtureRequest, watched: Watched, tmp_path: Path) -> str:
    path = tmp_path / "report.html"
    path.write_text(render.html(getattr(examples, request.param)()), encoding="utf-8")
    watched.page.goto(path.as_uri())
    return request.param


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_opens_from_disk_without_complaint_and_can_be_read(watched: Watched, page_name: str, scheme: str) -> None:
    watched.page.emulate_media(color_scheme=scheme)
    watched.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")

    assert watched.page.evaluate(CONTRAST) == []
    assert watched.complaints == []
    watched.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = false })")
    for width in (1200, 400):
        watched.page.set_viewport_size({"width": width, "height": 900})
        assert not watched.overflows()
        watched.shot(f"report-{page_name}-{width}-{scheme}")


def test_tables_that_are_too_wide_can_be_reached_by_keyboard(watched: Watched, page_name: str) -> None:
    watched.page.set_viewport_size({"width": 400, "height": 900})

    without = watched.page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(each => each.tabIndex !== 0 || !each.getAttribute('aria-label')).length"
    )
    assert without == 0
