"""The scores in the page: every group, every number that a chart draws, and what is undefined."""

from itertools import pairwise

from evenhand.service import render
from evenhand.service.render import scores
from tests.service.render import examples


def test_scores_have_a_section_where_rows_have_scores() -> None:
    assert 'id="scores"' in render.html(examples.scored())
    assert 'id="scores"' not in render.html(examples.compas())


def test_area_of_a_group_without_positives_is_undefined_with_its_reason() -> None:
    page = render.html(examples.scored())

    assert "the group lacks rows of one label" in page


def test_every_group_has_its_distribution() -> None:
    (one,) = scores.arranged(examples.scored())

    names = [histogram.name for histogram in one.histograms()]
    assert names == ["Ada & co", "<b>Bo</b>", "few", "never", "unknown"]
    assert all(len(histogram.bars) == 20 for histogram in one.histograms())


def test_bars_of_all_groups_share_one_scale() -> None:
    (one,) = scores.arranged(examples.scored())
    shares = [share for row in one.rows for share in row.shown.shares]
    heights = [bar.height for histogram in one.histograms() for bar in histogram.bars]

    assert max(heights) == scores.BARS_HEIGHT - 30
    for share, height in zip(shares, heights, strict=True):
        assert abs(height - share / max(shares) * max(heights)) <= 0.051  # a tenth of a pixel


def test_threshold_in_use_is_listed_among_the_thinned_ones() -> None:
    (one,) = scores.arranged(examples.scored())

    assert 0.5 in one.thresholds
    assert len(one.thresholds) <= scores.MOST_ROWS + 1
    assert all(low < high for low, high in pairwise(one.thresholds))


def test_small_and_unknown_groups_are_listed_and_not_drawn_as_lines() -> None:
    (one,) = scores.arranged(examples.scored())

    for rate in one.rates():
        assert [line.name for line in rate.chart.lines] == ["Ada & co", "<b>Bo</b>", "never"]
        assert len(rate.columns) == 5
        assert all(len(cells) == 5 for cells in rate.cells)
