"""Scores in fixed bins: rising, as narrow as promised, and the same whether joined before or after counting."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from evenhand.datasets.counting import chunks, score_tally
from evenhand.datasets.counting.asked import Asked, CountedScores
from evenhand.datasets.counting.score_bins import bin_count, bins_of
from evenhand.datasets.counting.streaming import count_file

RNG = np.random.default_rng(7)


def scores_everywhere() -> np.ndarray:
    near = 10 ** RNG.uniform(-18, 0, 5_000)
    edges = np.ldexp(1.0, np.arange(-20, 40))
    odd = [
        0.0,
        -0.0,
        0.5,
        1.0,
        np.nextafter(0.5, 0),
        np.nextafter(1, 0),
        np.nextafter(1, 2),
        5e-324,
        -5e-324,
        1e300,
        -1e300,
    ]
    wide = 10 ** RNG.uniform(0, 12, 2_000)
    return np.concatenate([RNG.random(20_000), near, 1 - near, wide, -wide, -near, edges, -edges, odd])


def test_bins_rise_with_the_score() -> None:
    scores = np.sort(scores_everywhere())

    bins = bins_of(scores)

    assert np.all(np.diff(bins) >= 0)
    assert bins.min() >= 0
    assert bins.max() < bin_count()


def test_blocks_within_0_and_1_are_binned_as_others_are() -> None:
    """A block with a score of 2 takes the longer way."""
    scores = np.concatenate([scores_everywhere(), RNG.random(10_000)])
    inside = scores[(scores >= 0) & (scores <= 1)]

    assert np.array_equal(bins_of(inside[:20_000]), bins_of(np.append(inside[:20_000], 2.0))[:-1])


def test_a_bin_is_as_narrow_as_promised() -> None:
    """1/2048 between 1/16 and 15/16; nearer to 0 or 1 at most 1/128 of the distance, down to 1/65,536."""
    near = 10 ** RNG.uniform(-7, -1, 100_000)
    scores = np.sort(np.concatenate([RNG.random(400_000), near, 1 - near]))
    bins = bins_of(scores)
    first = np.flatnonzero(np.concatenate([[True], np.diff(bins) > 0]))
    last = np.append(first[1:], len(scores)) - 1
    width, distance = scores[last] - scores[first], np.minimum(scores[first], 1 - scores[last])

    middle = distance > 1 / 16
    assert np.all(width[middle] <= 1 / 2048)
    assert np.all(width[~middle] <= np.maximum(1 / 65_536, (distance[~middle] + width[~middle]) / 128) + 1e-16)


def counted(path: Path, **more: object) -> CountedScores:
    asked = Asked(("sex", "y", "z"), score="score", weight="w", histogram=("sex", "y"), **more)  # type: ignore[arg-type]
    found = count_file(path, asked).scores
    assert found is not None
    return found


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(chunks, "ROWS_A_CHUNK", 128)
    n = 3_000
    table = {"sex": RNG.choice(["f", "m"], n), "y": RNG.integers(0, 2, n), "z": RNG.integers(0, 5, n)}
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table(table | {"score": RNG.random(n), "w": RNG.integers(1, 9, n) / 4}), path)
    return path


def test_threshold_parts_its_bin(file: Path) -> None:
    """So that decisions at the threshold are counted exactly."""
    threshold = float(np.median(parquet.read_table(file).column("score").to_pylist()))

    found = counted(file, threshold=threshold)

    assert np.all((found.lowest >= threshold) == (found.highest >= threshold))
    assert found.table.times is not None
    assert int(found.table.times[found.lowest >= threshold].sum()) == 1_500


def test_histogram_holds_every_row_weight_and_square(file: Path) -> None:
    data = parquet.read_table(file)
    found = counted(file)
    weight = np.array(data.column("w").to_pylist())

    assert found.table.total == data.num_rows
    assert found.weight is not None
    assert found.squares is not None
    assert found.weight.sum() == weight.sum()
    assert found.squares.sum() == (weight**2).sum()


def test_bins_joined_on_the_way_are_those_joined_in_the_end(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = counted(file)
    monkeypatch.setattr(score_tally, "MOST_SCORE_CELLS", 2_500)

    coarse = counted(file)

    def rows(scores: CountedScores, *, joined: bool) -> dict[tuple[object, ...], int]:
        assert scores.table.times is not None
        sex, y = (scores.table.groups(key) for key in ("sex", "y"))
        found: dict[tuple[object, ...], int] = {}
        part = (bins_of(scores.lowest) >> 3) * 2 + (scores.lowest >= 0.5)
        for key in zip(sex.codes, y.codes, part, scores.table.times, strict=True):
            found[key[:3]] = found.get(key[:3], 0) + int(key[3])
        assert joined or len(found) == scores.table.rows
        return found

    assert coarse.table.rows < fine.table.rows
    assert rows(coarse, joined=False) == rows(fine, joined=True)
    assert coarse.weight is not None
    assert fine.weight is not None
    assert coarse.weight.sum() == fine.weight.sum()


def test_a_histogram_without_room_is_left_out_and_said_to_be(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_tally, "MOST_SCORE_CELLS", 10)

    found = count_file(file, Asked(("sex", "y"), score="score", histogram=("sex", "y")))

    assert found.scores is None
    assert any("areas under curves" in note for note in found.notes)
    assert found.table.total == 3_000
