"""How the application describes itself as OpenAPI: what APIFlask finds in the routes, with our own parts put in."""

from typing import Any

from apiflask import APIFlask
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from evenhand.service import rest

DESCRIPTION = """Audits classifiers for algorithmic bias and says what it can prove.

Every address under /api/v1 needs a token: `Authorization: Bearer eh_…`. Errors are problems (RFC 9457) with an
`exit_code`, the one that `evenhand` would exit with. Lists are paged: pass `next` of a page as `cursor`.
/healthz, /readyz and /metrics are at the root and need no token."""

ERRORS = {
    "400": "The request says something that cannot be",
    "401": "No valid token",
    "403": "The token's role does not allow it",
    "404": "There is no such thing",
    "406": "Not offered in this format",
    "409": "Not now: it is in use, or not ready",
    "413": "Too large",
    "415": "Of a type that is not taken",
    "422": "It does not fit; `errors` points at each place",
    "501": "Not made by this version",
    "503": "Not possible at present",
}


class PointedError(BaseModel):
    """One place that is wrong."""

    pointer: str = Field(description="JSON pointer into the body, or the parameter")
    detail: str


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="names the kind of problem")
    title: str
    status: int
    detail: str = Field(description="what was wrong, and what to do")
    exit_code: int = Field(description="the code that `evenhand` would exit with")
    errors: list[PointedError] | None = None


def set_up(app: APIFlask) -> None:
    """Make the application describe itself."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        DESCRIPTION=DESCRIPTION,
        AUTO_OPERATION_ID=True,
        AUTO_SERVERS=False,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_200_RESPONSE=False,
        LICENSE={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.spec_processor(_completed)


def _completed(spec: Any) -> Any:
    rest.ref(ProblemDocument)
    spec.pop("servers", None)
    spec["paths"] = {path: item for path, item in spec["paths"].items() if item}
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            _complete_operation(path, method, operation)
    _, schemas = models_json_schema(
        [
            (model, "serialization" if "Document" in name or name == "Report" else "validation")
            for name, model in sorted(rest.SHOWN.items())
        ],
        ref_template="#/components/schemas/{model}",
    )
    components = spec.setdefault("components", {})
    components["schemas"] = schemas["$defs"]
    return spec


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    parameters += operation.pop("x-parameters", [])
    responses = operation["responses"]
    statuses = {"400"} if path.startswith(rest.API) else set()
    if operation.get("security"):
        # OpenAPI wants role names left out of a bearer scheme's list
        operation["x-role"] = next(iter(next(iter(operation["security"][0].values()))), None)
        operation["security"] = [{next(iter(operation["security"][0])): []}]
        statuses |= {"401", "403"}
    if "{" in path:
        statuses.add("404")
    if parameters:
        statuses.add("422")
    if method == "post":
        statuses |= {"409", "422"}
    if "requestBody" in operation:
        statuses |= {"413", "415", "422", "503"}
    if method == "delete":
        statuses.add("409")
    if "/reports/{report_id}" in path and "diff" not in path and "reviews" not in path:
        statuses |= {"406", "501"}
    for status in statuses:
        responses.setdefault(status, _problem(ERRORS[status]))


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {rest.PROBLEM: {"schema": rest.ref(ProblemDocument)}}}


def pointers(detail: Any) -> list[dict[str, str]]:
    """APIFlask's nested errors as RFC 9457's list."""
    if not isinstance(detail, dict):
        return []
    return [
        {"pointer": field.replace(".", "/"), "detail": str(text).removeprefix("Value error, ")}
        for fields in detail.values()
        if isinstance(fields, dict)
        for field, texts in fields.items()
        for text in (texts if isinstance(texts, list) else [texts])
    ]
