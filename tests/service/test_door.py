"""What is refused at the door: requests that name what their data or model have not, told before anything is queued."""

from typing import Any

import numpy as np
import pytest

from tests.classifiers.build import linear
from tests.service.running import POLICY, Answer, Client, people


@pytest.fixture(scope="module")
def dataset(running: Any) -> str:
    return str(running.client.dataset(people()))


def ask(client: Client, dataset: str, policy: dict[str, Any], **more: Any) -> Answer:
    return client.send("POST", "/api/v1/audits", {"dataset": dataset, "policy": policy, **more})


def with_data(**changed: Any) -> dict[str, Any]:
    return {"data": {**POLICY["data"], **changed}}


def pointed(answer: Answer) -> list[str]:
    assert (answer.status, answer.type) == (422, "application/problem+json"), answer.content
    return [error["pointer"] for error in answer.json["errors"]]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"label": "hird"}, "/policy/data/label"),
        ({"prediction": "nope"}, "/policy/data/prediction"),
        ({"prediction": None, "score": "nope"}, "/policy/data/score"),
        ({"sensitive": ["sex", "gender"]}, "/policy/data/sensitive/1"),
        ({"weight": "nope"}, "/policy/data/weight"),
        ({"stratum": "nope"}, "/policy/data/stratum"),
        ({"unit": "nope"}, "/policy/data/unit"),
        ({"pair": "nope"}, "/policy/data/pair"),
        ({"features": ["nope"]}, "/policy/data/features/0"),
        ({"categorical": ["sex", "nope"]}, "/policy/data/categorical/1"),
        ({"where": {"a/b": "x"}}, "/policy/data/where/a~1b"),
        ({"membership": {"race": {"white": "sex", "black": "nope"}}}, "/policy/data/membership/race/black"),
    ],
)
def test_a_column_that_the_data_have_not_is_pointed_at(
    client: Client, dataset: str, changed: dict[str, Any], pointer: str
) -> None:
    answer = ask(client, dataset, with_data(**changed))

    assert pointed(answer) == [pointer]
    assert answer.json["type"] == "/problems/missing-column"
    assert "It has: sex, hired, predicted" in answer.json["errors"][0]["detail"]


def test_everything_that_is_wrong_is_told_at_once(client: Client, dataset: str) -> None:
    answer = ask(client, dataset, with_data(label="hird", sensitive=["gender"]))

    assert pointed(answer) == ["/policy/data/label", "/policy/data/sensitive/0"]
    assert "Did you mean 'hired'?" in answer.json["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("check", "pointer", "type_"),
    [
        ({"metric": "impact_ration", "within": 0.8}, "/policy/check/0/metric", "unknown-metric"),
        ({"audit": "robustness", "metric": "x", "within": 0.1}, "/policy/check/0/metric", "unknown-metric"),
        ({"audit": "representation", "metric": "x", "within": 0.1}, "/policy/check/0/metric", "unknown-metric"),
        ({"metric": "roc_auc", "within": 0.1}, "/policy/check/0/metric", "policy-error"),
        ({"metric": "impact_ratio", "within": 8}, "/policy/check/0/within", "policy-error"),
        ({"metric": "impact_ratio", "within": 0.1}, "/policy/check/0/within", "policy-error"),
        (
            {"metric": "impact_ratio", "within": 0.8, "attributes": ["race"]},
            "/policy/check/0/attributes",
            "unknown-attribute",
        ),
    ],
)
def test_a_check_that_no_audit_could_answer_is_pointed_at(
    client: Client, dataset: str, check: dict[str, Any], pointer: str, type_: str
) -> None:
    answer = ask(client, dataset, {**POLICY, "check": [check]})

    assert pointed(answer) == [pointer]
    assert answer.json["type"] == f"/problems/{type_}"


def test_a_request_without_predictions_or_groups_says_what_to_name(client: Client, dataset: str) -> None:
    answer = ask(client, dataset, {})

    assert pointed(answer) == ["/policy/data/sensitive", "/policy/data/prediction"]


def test_a_column_compared_with_itself_is_refused(client: Client, dataset: str) -> None:
    assert pointed(ask(client, dataset, with_data(prediction="hired"))) == ["/policy/data/prediction"]


WORDS = people().replace(b",1", b",good").replace(b",0", b",bad")
MANY = b"sex,hired,predicted\n" + b"".join(
    b"%s,%d,%d\n" % ((b"man", b"woman")[i % 2], i % 40, i % 2) for i in range(400)
)


@pytest.mark.parametrize(
    ("rows", "changed", "pointer", "type_", "values"),
    [
        (WORDS, {}, "positive", "not-binary", "has the values bad, good"),
        (WORDS, {"positive": "goood"}, "positive", "unknown-positive", "Did you mean 'good'?"),
        (WORDS, {"positive": "good", "favourable": "fair"}, "favourable", "class-mismatch", "bad, good"),
        (people().replace(b"1\n", b"0.7\n"), {}, "positive", "not-binary", "has the values 0.0, 0.7"),
        (
            people().replace(b"woman,1,1", b"woman,1,0.7"),
            {},
            "prediction",
            "not-binary",
            "in place of 'predicted' as `policy",
        ),
        (WORDS.replace(b"predicted", b"p"), {"prediction": None, "score": "p"}, "positive", "not-binary", "bad, good"),
    ],
)
def test_values_that_do_not_say_which_is_positive_are_told_at_once(
    client: Client, rows: bytes, changed: dict[str, Any], pointer: str, type_: str, values: str
) -> None:
    answer = ask(client, client.dataset(rows), with_data(**changed))

    assert pointed(answer) == [f"/policy/data/{pointer}"]
    assert answer.json["type"] == f"/problems/{type_}"
    assert values in answer.json["detail"]


@pytest.mark.parametrize(
    ("rows", "changed"),
    [
        (WORDS, {"positive": "good"}),
        (WORDS, {"favourable": "good"}),
        (WORDS, {"where": {"sex": "man"}}),
        (people().replace(b",1\n", b",good\n").replace(b",0\n", b",bad\n"), {"positive": "good", "label": None}),
        (people().replace(b",1,", b",,"), {}),
        (MANY, {"positive": "1"}),
    ],
)
def test_what_only_the_rows_tell_is_left_to_the_audit(client: Client, rows: bytes, changed: dict[str, Any]) -> None:
    answer = ask(client, client.dataset(rows), with_data(**changed))

    assert answer.status == 202, answer.content


def test_values_of_a_built_in_set_are_known_too(client: Client) -> None:
    answer = ask(client, "adult", {"data": {"prediction": "sex", "sensitive": ["race"], "positive": ">50k"}})

    assert pointed(answer) == ["/policy/data/positive"]
    assert "Did you mean '>50K'?" in answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "pointer", "near"),
    [
        ({"policy": {"data": {"lable": "hired"}}}, "/policy/data/lable", "label"),
        ({"polcy": {}}, "/polcy", "policy"),
        ({"policy": {"check": [{"metric": "x", "within": 0.1, "gates": "off"}]}}, "/policy/check/0/gates", "gate"),
    ],
)
def test_a_field_that_a_request_has_not_names_the_nearest(
    client: Client, dataset: str, body: dict[str, Any], pointer: str, near: str
) -> None:
    answer = client.send("POST", "/api/v1/audits", {"dataset": dataset, **body})

    assert pointed(answer) == [pointer]
    assert answer.json["errors"][0]["detail"] == f"there is no such key (did you mean '{near}'?)"


def test_a_request_with_two_policies_is_refused(client: Client, dataset: str) -> None:
    """JSON parsers take the last, and what the first asks for would not be done."""
    body = b'{"dataset": "%s", "policy": {"alpha": 0.01}, "policy": {}}' % dataset.encode()

    answer = client.send("POST", "/api/v1/audits", body, headers={"Content-Type": "application/json"})

    assert (answer.status, answer.json["type"]) == (400, "/problems/key-twice")
    assert "names 'policy' twice" in answer.json["detail"]


def test_a_threshold_that_is_no_number_is_pointed_at(client: Client, dataset: str) -> None:
    assert pointed(ask(client, dataset, with_data(threshold=float("nan")))) == ["/policy/data/threshold"]


def test_an_audit_of_pictures_of_a_table_is_refused(client: Client, dataset: str) -> None:
    assert pointed(ask(client, dataset, POLICY, only=["group_disparity", "robustness"])) == ["/only/1"]


def test_a_model_that_reads_other_columns_is_refused(client: Client, dataset: str) -> None:
    order = {"train": {"kind": "logistic_regression", "dataset": dataset, "label": "hired", "features": ["sex"]}}
    trained = client.wait(client.send("POST", "/api/v1/models", order).headers["Location"])
    other = client.dataset(b"colour,outcome,group\nred,1,a\nblue,0,b\n")

    answer = ask(client, other, {"data": {"sensitive": ["group"]}}, model=trained["id"])

    assert pointed(answer) == ["/model"]
    assert "it reads sex" in answer.json["detail"]


def test_a_model_without_names_must_be_told_its_columns(client: Client, dataset: str) -> None:
    graph = linear(np.array([[-1.0, 1.0], [0.0, 0.0]], np.float32), last="Softmax")
    model = client.upload("models", "points.onnx", graph.SerializeToString()).json["id"]

    answer = ask(client, dataset, with_data(prediction=None, features=["hired"]), model=model)

    assert pointed(answer) == ["/policy/data/features"]
    assert "reads 2 columns without names, and 1 are named" in answer.json["detail"]


def test_a_model_of_a_table_is_not_asked_about_pictures(client: Client, dataset: str) -> None:
    graph = linear(np.array([[-1.0, 1.0], [0.0, 0.0]], np.float32), last="Softmax")
    model = client.upload("models", "points.onnx", graph.SerializeToString()).json["id"]

    assert pointed(ask(client, "emoji-people", {}, model=model)) == ["/model"]


@pytest.mark.parametrize(
    ("train", "pointer"),
    [
        ({}, "/train/label"),
        ({"label": "hird"}, "/train/label"),
        ({"label": "hired", "features": ["nope"]}, "/train/features/0"),
        ({"label": "hired", "sensitive": ["nope"]}, "/train/sensitive/0"),
        ({"label": "hired", "kind": "convnet4"}, "/train/kind"),
        ({"label": "hired", "unit": "nope"}, "/train/unit"),
        ({"label": "hired", "format": "safetensors"}, "/train/format"),
        ({"dataset": "nonsense"}, "/train/dataset"),
    ],
)
def test_a_training_that_cannot_be_is_refused(
    client: Client, dataset: str, train: dict[str, Any], pointer: str
) -> None:
    order = {"train": {"kind": "logistic_regression", "dataset": dataset, **train}}

    assert pointed(client.send("POST", "/api/v1/models", order)) == [pointer]


def test_nothing_is_queued_by_what_is_refused(client: Client, dataset: str) -> None:
    before = client.get("/api/v1/audits?limit=1").json["items"]

    ask(client, dataset, with_data(label="nope"))

    assert client.get("/api/v1/audits?limit=1").json["items"] == before


def test_an_audit_that_is_over_cannot_be_cancelled(client: Client, dataset: str) -> None:
    audit = client.submit(dataset, only=["group_disparity"])
    client.wait(f"/api/v1/audits/{audit}")

    answer = client.send("POST", f"/api/v1/audits/{audit}/cancel")

    assert (answer.status, answer.json["type"]) == (409, "/problems/already-over")
    assert "(succeeded)" in answer.json["detail"]


def test_cancelling_twice_is_the_same_as_once(client: Client, dataset: str) -> None:
    audit = client.submit(dataset)
    first = client.send("POST", f"/api/v1/audits/{audit}/cancel")
    client.wait(f"/api/v1/audits/{audit}")

    second = client.send("POST", f"/api/v1/audits/{audit}/cancel")

    assert (first.status, second.status, second.json["status"]) == (202, 202, "cancelled")
