"""A model that answers over HTTP, audited by command line and by REST, with a server of this machine behind it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from evenhand.service.cli import cli
from evenhand.service.jobs.process import _environment
from tests.classifiers.endpoint_server import Reply, served
from tests.service.running import Client, Service

POLICY = '[data]\nsource = "people.csv"\nlabel = "hired"\nsensitive = ["sex"]\npositive = "yes"\n'
ASKED = {"label": "hired", "sensitive": ["sex"], "positive": "yes", "features": ["age"]}
DESCRIPTION = {"features": ["age"], "classes": ["no", "yes"]}


def people(*, rows: int = 600) -> str:
    """Women are under 50 and men over it, so that a rule about age is one about sex."""
    chance = np.random.default_rng(0)
    lines = ["age,sex,hired"]
    for row in range(rows):
        is_woman = row % 2 == 0
        age = int(chance.integers(20, 50) if is_woman else chance.integers(51, 80))
        lines.append(f"{age},{'F' if is_woman else 'M'},{'yes' if chance.random() < 0.5 else 'no'}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "people.csv").write_text(people())
    monkeypatch.setenv("EVENHAND_ENDPOINT_LOOPBACK", "1")
    monkeypatch.delenv("EVENHAND_ENDPOINT_HOSTS", raising=False)
    return tmp_path


def audit(folder: Path, *options: str) -> Result:
    report = ("--json", str(folder / "r.json"))
    return CliRunner().invoke(cli, ["audit", *options, *report, "--only", "group_disparity", "--quiet"])


def from_options(folder: Path, url: str) -> list[str]:
    named = ["--label", "hired", "--sensitive", "sex", "--positive", "yes", "--features", "age"]
    return [str(folder / "people.csv"), *named, "--model", url]


def test_an_address_is_a_model(folder: Path) -> None:
    with served() as server:
        result = audit(folder, *from_options(folder, f"{server.url}?version=2"))

    report = json.loads((folder / "r.json").read_text())
    assert result.exit_code == 1, result.output  # every man is selected, and no woman
    assert sum(map(len, server.asked)) == 600
    assert set(server.asked[0][0]) == {"age"}  # neither label nor sex leave this machine
    assert report["subject"]["model"]["kind"] == "endpoint"
    assert report["subject"]["model"]["name"] == server.url  # not what comes after ?
    assert report["subject"]["model"]["gradients"] is False
    assert any("asked over HTTP" in note for note in report["subject"]["data"]["limits"])


def test_the_same_answers_give_the_same_report_twice(folder: Path) -> None:
    reports = []
    with served() as server:
        for _ in range(2):
            audit(folder, *from_options(folder, server.url))
            reports.append(json.loads((folder / "r.json").read_text()))

    for report in reports:
        report.pop("id")
        report.pop("created")
    assert reports[0] == reports[1]


def test_a_policy_says_how_an_endpoint_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_ENDPOINT_KEY", "Bearer sesame")
    monkeypatch.setenv("EVENHAND_ENDPOINT_HOSTS", "127.0.0.1")
    with served() as server:
        model = f'[model]\nurl = "{server.url}"\nbatch = 250\nclasses = ["no", "yes"]\n'
        headers = 'headers = {Authorization = "EVENHAND_ENDPOINT_KEY"}\n'
        (folder / "evenhand.toml").write_text(POLICY + 'features = ["age"]\n' + model + headers)

        result = audit(folder, str(folder / "evenhand.toml"))

    assert result.exit_code == 1, result.output
    assert [len(rows) for rows in server.asked] == [250, 250, 100]
    assert server.headers[0]["Authorization"] == "Bearer sesame"
    assert "sesame" not in (folder / "r.json").read_text()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('url = "https://a.example/"\npath = "m.onnx"\n', "are both named; name one model"),
        ('path = "m.onnx"\nbatch = 3\n', "batch belong to an endpoint"),
        ('url = "https://a.example/"\nheaders = {X-Key = "sesame"}\n', "not the name of an environment variable"),
        ('url = "http://93.184.215.14/"\n', "http is for this machine alone"),
        ('url = "https://127.0.0.1.nip.invalid/"\n', "its name cannot be looked up"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_before_anything_is_sent(folder: Path, keys: str, said: str) -> None:
    (folder / "evenhand.toml").write_text(f'{POLICY}features = ["age"]\n[model]\n{keys}')

    result = audit(folder, str(folder / "evenhand.toml"))

    assert result.exit_code in (2, 4)
    assert said in result.output.replace("\n", " ")
    assert "sesame" not in result.output
    assert not (folder / "r.json").exists()


def test_an_endpoint_that_fails_is_a_failed_audit_and_no_verdict(folder: Path) -> None:
    with served(lambda rows, number: Reply({}, status=401)) as server:
        result = audit(folder, *from_options(folder, server.url))

    assert result.exit_code == 4
    assert "127.0.0.1 failed: it answered 401 Unauthorized" in result.output
    assert not (folder / "r.json").exists()


def test_an_answer_that_is_no_scores_is_refused(folder: Path) -> None:
    with served(lambda rows, number: Reply({"predictions": [[2.0, -1.0]] * len(rows)})) as server:
        result = audit(folder, *from_options(folder, server.url))

    assert result.exit_code == 2
    assert "expected 2 probabilities from 0 to 1" in result.output


# --- REST ---


def test_an_endpoint_is_described_and_audited_over_rest_and_its_secret_is_kept_nowhere(
    running: Service, client: Client
) -> None:
    with served() as server:
        endpoint = {"url": server.url, "headers": {"Authorization": "EVENHAND_ENDPOINT_KEY"}, **DESCRIPTION}
        added = client.send("POST", "/api/v1/models", {"endpoint": endpoint, "name": "hiring, deployed"})
        before = len(server.asked)
        asked = {"data": ASKED}
        audit_id = client.submit(client.dataset(people().encode()), model=added.json["id"], policy=asked)
        done = client.wait(f"/api/v1/audits/{audit_id}")

    assert added.status == 201, added.content
    assert before == 0
    assert (added.json["kind"], added.json["name"]) == ("endpoint", "hiring, deployed")
    assert added.json["description"]["endpoint"]["headers"] == {"Authorization": "EVENHAND_ENDPOINT_KEY"}
    assert (done["status"], done["exit_code"]) == ("succeeded", 1), done
    assert server.headers[0]["Authorization"] == "Bearer sesame"
    assert _files_with(b"sesame", running.home) == []


def _files_with(text: bytes, folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ({"url": "https://models.example.com/"}, "EVENHAND_ENDPOINT_HOSTS lists 127.0.0.1"),
        ({"url": "http://169.254.169.254/latest/"}, "EVENHAND_ENDPOINT_HOSTS lists 127.0.0.1"),
        ({"url": "https://127.0.0.1/", "headers": {"X": "EVENHAND_DATABASE_URL"}}, "may be sent"),
        ({"url": "https://127.0.0.1/", "headers": {"X": "Bearer open"}}, "not the name of an environment variable"),
        ({"url": "https://127.0.0.1/", "image_shape": [2**40, 2**40, 3]}, "height, width and channels"),
    ],
)
def test_a_description_that_may_not_be_is_refused_over_rest(client: Client, endpoint: dict, said: str) -> None:
    answer = client.send("POST", "/api/v1/models", {"endpoint": endpoint})

    assert answer.status == 422
    assert answer.type == "application/problem+json"
    assert said in answer.json["detail"]


@pytest.mark.parametrize("body", [{}, {"train": None}, {"endpoint": {"url": "https://a.b/", "token": "x"}}])
def test_a_body_that_is_neither_training_nor_endpoint_is_refused(client: Client, body: dict) -> None:
    assert client.send("POST", "/api/v1/models", body).status == 422


def test_a_policy_of_an_audit_names_no_endpoint_of_its_own(client: Client) -> None:
    policy = {"data": ASKED, "model": {"url": "https://127.0.0.1/"}}

    answer = client.send("POST", "/api/v1/audits", {"dataset": "german", "policy": policy})

    assert answer.status == 422
    assert "POST the description to /api/v1/models" in answer.json["detail"]


def test_without_a_list_the_service_asks_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody who may upload could otherwise have the service ask any public host."""
    monkeypatch.delenv("EVENHAND_ENDPOINT_HOSTS", raising=False)

    assert _environment()["EVENHAND_ENDPOINT_HOSTS"] == ""
    monkeypatch.setitem(os.environ, "EVENHAND_ENDPOINT_HOSTS", "a.example")
    assert _environment()["EVENHAND_ENDPOINT_HOSTS"] == "a.example"


def test_pictures_are_attacked_without_gradients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_ENDPOINT_LOOPBACK", "1")
    chance = np.random.default_rng(0)
    images = chance.integers(0, 120, (40, 4, 4, 1), dtype=np.uint8)
    bright = np.arange(40) % 2
    images[bright == 1] += 100
    sex = np.where(chance.random(40) < 0.5, "F", "M")
    np.savez(tmp_path / "pictures.npz", images=images, bright=bright, sex=sex)

    def by_light(pictures: list, number: int) -> Reply:
        light = (
            np.array(pictures).mean(axis=(1, 2, 3)) / 255 if np.max(pictures) > 1 else np.mean(pictures, axis=(1, 2, 3))
        )
        chance_of_bright = 1 / (1 + np.exp(-20 * (light - 0.43)))
        return Reply({"predictions": chance_of_bright.tolist()})

    roles = ["--label", "bright", "--sensitive", "sex", "--only", "robustness"]
    with served(by_light) as server:
        result = CliRunner().invoke(
            cli,
            [
                "audit",
                str(tmp_path / "pictures.npz"),
                *roles,
                "--model",
                server.url,
                "--json",
                str(tmp_path / "r.json"),
            ],
        )

    assert result.exit_code in (0, 1, 3), result.output
    report = json.loads((tmp_path / "r.json").read_text())
    attacks = report["audits"]["robustness"]["attack"]["attacks"]
    assert attacks
    assert not any("pgd" in attack.lower() or "fgsm" in attack.lower() for attack in attacks)
