"""The hostile corpus sent to a service that runs: each is refused with a reason, nothing is kept, and the service stays up."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from evenhand.classifiers.errors import RefusedFormat
from tests.classifiers.hostile import make
from tests.classifiers.hostile.corpus import CORPUS, Hostile
from tests.service.running import Answer, Client, Service

ALWAYS_TOO = ("sixteen_gibibytes.onnx", "weights_above.onnx", "offsets_beyond_the_file.safetensors", "bomb.skops")
"""Of those that import a library to be told, a few are sent always and all of them in the slow tests."""


def is_quick(case: Hostile) -> bool:
    return case.error is RefusedFormat or not (case.confined or case.filename.endswith((".safetensors", ".skops")))


def send(client: Client, case: Hostile, marker: Path) -> Answer:
    return client.upload("models", f"../../{quote(case.filename)}", case.make(marker))


def files(home: Path) -> set[str]:
    return {str(path) for folder in ("artefacts", "work") for path in (home / folder).rglob("*") if path.is_file()}


def refused_all(running: Service, cases: list[Hostile], marker: Path) -> None:
    before = files(running.home)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda case: send(running.client, case, marker), cases))

    for case, answer in zip(cases, answers, strict=True):
        assert answer.status in (400, 413, 415, 422), (case.filename, answer.content)
        assert answer.type == "application/problem+json"
        if answer.status == 415:
            assert "can run code when it is loaded" in answer.json["detail"]
            assert "ONNX" in answer.json["detail"]
        assert "Traceback" not in answer.json["detail"]
    assert not marker.exists()
    assert files(running.home) == before
    assert running.client.get("/healthz").status == 200
    assert running.client.get("/readyz").status == 200


def test_every_hostile_file_is_refused_and_the_service_answers_on(running: Service, tmp_path: Path) -> None:
    cases = [case for case in CORPUS if is_quick(case) or case.filename in ALWAYS_TOO]

    refused_all(running, cases, tmp_path / "marker")


@pytest.mark.slow
def test_the_rest_of_the_corpus_is_refused_too(running: Service, tmp_path: Path) -> None:
    refused_all(running, [case for case in CORPUS if not is_quick(case)], tmp_path / "marker")


@pytest.mark.parametrize(
    "filename",
    ["../../../../tmp/evil.onnx", "..%2F..%2Fevil.onnx", "/etc/evil.onnx", "C:\\evil.onnx", "evil%00.onnx", "..onnx"],
)
def test_a_file_name_leads_nowhere_else(running: Service, filename: str, tmp_path: Path) -> None:
    before = files(running.home)

    answer = running.client.upload("models", filename.replace("\\", "%5C"), make.a_pickle(tmp_path / "marker"))

    assert answer.status in (400, 415), answer.content
    assert "/" not in answer.json["detail"].split(" is ")[0]
    assert files(running.home) == before
    assert not list(running.home.rglob("evil*"))
    assert not Path("/tmp/evil.onnx").exists()
