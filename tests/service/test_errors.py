import pytest

from evenhand.auditors.errors import AuditorError
from evenhand.classifiers.errors import ClassifierError, RefusedFormat
from evenhand.datasets.errors import DatasetError, MissingColumn
from evenhand.service.audits.errors import RequestProblem
from evenhand.service.errors import PROBLEM_TYPES, TABLE, DatasetNotFound, FailedElsewhere, ServiceError, problem_of


def every_class(base: type[Exception]) -> set[type[Exception]]:
    return {base}.union(*(every_class(each) for each in base.__subclasses__()))


@pytest.mark.parametrize("base", [AuditorError, ClassifierError, DatasetError, RequestProblem, ServiceError])
def test_every_error_of_every_room_has_a_status_and_an_exit_code(base: type[Exception]) -> None:
    ours = {each for each in every_class(base) if each.__module__.startswith("evenhand.")}

    assert sorted(each.__name__ for each in ours - set(TABLE)) == []


def test_the_table_would_notice_an_error_that_is_missing_from_it() -> None:
    class Unlisted(DatasetError):
        pass

    assert Unlisted in every_class(DatasetError) - set(TABLE)


def test_every_kind_of_problem_has_a_status_of_an_error_and_an_exit_code_of_failure() -> None:
    assert all(400 <= kind.status < 600 and kind.exit_code in {2, 4} for kind in TABLE.values())


def test_bad_input_is_exit_code_2() -> None:
    problem = problem_of(MissingColumn("gender", "people.csv", ["sex", "age"]))

    assert (problem.status, problem.exit_code, problem.type) == (422, 2, "/problems/missing-column")
    assert "gender" in problem.detail


def test_a_refused_format_is_an_unsupported_type() -> None:
    assert problem_of(RefusedFormat(name="m.onnx", found="a pickle", how_to_convert="Convert it.")).status == 415


def test_what_is_not_there_is_404() -> None:
    assert problem_of(DatasetNotFound("ds_x")).status == 404


def test_an_error_of_nobody_says_nothing_of_what_is_inside() -> None:
    problem = problem_of(KeyError("secret"))

    assert (problem.status, problem.exit_code) == (500, 4)
    assert "secret" not in problem.detail


def test_a_problem_of_another_process_is_passed_on_as_it_is() -> None:
    first = problem_of(MissingColumn("gender", "people.csv", ["sex", "age"]))

    assert problem_of(FailedElsewhere(first.document())) == first


def test_the_document_is_that_of_rfc_9457() -> None:
    document = problem_of(DatasetNotFound("ds_x")).document()

    assert {"type", "title", "status", "detail"} <= set(document)
    assert document["type"].startswith(PROBLEM_TYPES)
