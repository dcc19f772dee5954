"""A Parquet file that is counted in chunks, beside the time that decoding its columns alone takes.

Each measurement is a process of its own, so that its peak memory is its own too. 10,000,000 rows; `--full` or a number
of rows for more: `python -m benchmarks.parquet --full` makes 100,000,000.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.clock import say

ROWS, FULL_ROWS = 10_000_000, 100_000_000
REPEATS = 5
LEVELS = {"sex": 2, "race": 5, "age": 10}
COLUMNS = (*LEVELS, "label", "prediction")
ROWS_A_GROUP = 1 << 20


def main(rows: int = ROWS) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        _write(path, rows)
        megabytes = path.stat().st_size / 1e6
        print(f"\nParquet: {rows:,} rows, {megabytes:,.0f} MB, {len(COLUMNS)} columns, 400 cells; medians of {REPEATS}")
        decoding, counting = _measured(path, threads=False)
        decoding_threads, counting_threads = _measured(path, threads=True)
        peer = _median([_run("duckdb", path, threads=False) for _ in range(REPEATS)])
        digest = _run("digest", path, threads=False)
    _line("decoding alone, one thread", decoding)
    _line("counting (and decoding), one thread", counting)
    _line("DuckDB, the same counts by GROUP BY, one thread", peer)
    _line("decoding alone, columns side by side", decoding_threads)
    _line("counting (and decoding), columns side by side", counting_threads)
    _line("the digest of the file, which every audit takes too", digest)
    # one thread's processor time is its time on a machine that does nothing else
    ratio = counting["processor"] / decoding["processor"]
    peak = max(counting["megabytes"], counting_threads["megabytes"])
    met = [
        say(
            "counting over decoding alone, one thread, processor time",
            f"{ratio:.2f} times",
            goal="1.3 times",
            met=ratio <= 1.3,
        ),
        say("peak memory", f"{peak:.0f} MB", goal="200 MB", met=peak < 200),
    ]
    return 0 if all(met) else 1


def _measured(path: Path, *, threads: bool) -> tuple[dict[str, float], dict[str, float]]:
    """Medians for decoding and counting, whose runs take turns, so that a busy machine slows both."""
    runs = [(_run("decode", path, threads=threads), _run("count", path, threads=threads)) for _ in range(REPEATS)]
    return _median([decoding for decoding, _ in runs]), _median([counting for _, counting in runs])


def _median(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def _line(what: str, measured: dict[str, float]) -> None:
    seconds, processor, megabytes = measured["seconds"], measured["processor"], measured["megabytes"]
    print(f"  {what:<66} {seconds:>12.2f} s   processor {processor:6.2f} s   peak {megabytes:4.0f} MB")


def _run(what: str, path: Path, *, threads: bool) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.parquet", "--one", what, str(path), str(int(threads))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _one(what: str, path: Path, threads: bool) -> None:
    """Do one thing in this process, and print what it took; imports are not counted."""
    import time

    from evenhand.datasets.counting.asked import Asked
    from evenhand.datasets.counting.chunks import ROWS_A_CHUNK, chunks_of
    from evenhand.datasets.counting.streaming import count_chunks
    from evenhand.datasets.readers import sha256_of

    if what == "decode":
        from pyarrow import parquet

        texts = list(LEVELS)

        def task() -> None:
            # as text_chunks opens it: this is the least that any count must do
            with parquet.ParquetFile(path, read_dictionary=texts, pre_buffer=False, buffer_size=1 << 20) as file:
                for _ in file.iter_batches(ROWS_A_CHUNK, columns=list(COLUMNS), use_threads=threads):
                    pass
    elif what == "count":

        def task() -> None:
            chunks = chunks_of(path, path.name, "parquet", COLUMNS, threads=threads)
            counted = count_chunks(chunks, Asked(COLUMNS), name=path.name, sha256="")
            assert counted.table.rows == 400
    elif what == "duckdb":
        import duckdb

        connection = duckdb.connect(config={"threads": 1})

        def task() -> None:
            names = ", ".join(COLUMNS)
            query = f"SELECT {names}, COUNT(*) FROM read_parquet('{path}') GROUP BY {names}"
            assert len(connection.execute(query).fetchall()) == 400
    else:

        def task() -> None:
            sha256_of(path)

    import pyarrow.parquet  # noqa: F401  # the first import takes longer than a small file

    started, processor = time.perf_counter(), time.process_time()
    task()
    taken = {"seconds": time.perf_counter() - started, "processor": time.process_time() - processor}
    taken["megabytes"] = _peak_megabytes()
    print(json.dumps(taken))


def _peak_megabytes() -> float:
    """Of this program: getrusage would begin with the peak of the process that started it."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


def _write(path: Path, rows: int) -> None:
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(0)
    names = {name: pa.array([f"{name}-{i}" for i in range(levels)]) for name, levels in LEVELS.items()}
    schema = pa.schema([*((name, pa.string()) for name in LEVELS), ("label", pa.int64()), ("prediction", pa.int64())])
    with parquet.ParquetWriter(path, schema) as writer:
        for begin in range(0, rows, ROWS_A_GROUP):
            count = min(ROWS_A_GROUP, rows - begin)
            texts = [values.take(pa.array(rng.integers(0, len(values), count))) for values in names.values()]
            label = rng.random(count) < 0.4
            prediction = rng.random(count) < np.where(label, 0.7, 0.2)
            outcomes = [pa.array(each.astype(np.int64)) for each in (label, prediction)]
            writer.write_table(pa.table([*texts, *outcomes], schema=schema))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(sys.argv[2], Path(sys.argv[3]), sys.argv[4] == "1")
        sys.exit()
    wanted = sys.argv[1] if sys.argv[1:] else str(ROWS)
    sys.exit(main(FULL_ROWS if wanted == "--full" else int(wanted)))
