"""How the REST interface takes and gives documents: JSON, pages of lists, problems. Routes are in each api.py."""

import json
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from apiflask import HTTPTokenAuth
from flask import Response, request
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.orm import Session

from evenhand.service.auth.store import Principal, find_principal, note_use
from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, writing
from evenhand.service.errors import PROBLEM_TYPES, InvalidBody, KeyTwice, Problem, WrongContentType
from evenhand.service.paging import DEFAULT_LIMIT, MAX_LIMIT, Page

Document = TypeVar("Document", bound=BaseModel)

API = "/api/v1"
JSON = "application/json"
PROBLEM = "application/problem+json"
MAX_JSON_BYTES = 1024 * 1024

auth = HTTPTokenAuth(scheme="Bearer", description="A token that `evenhand token create` made: `Bearer eh_…`.")


class Paging(BaseModel):
    """Which page of a list."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="most items of a page")
    cursor: str | None = Field(default=None, description="`next` of the page before")


class Listed(Protocol):
    """A query that gives its rows page by page, newest first; raises BadCursor."""

    def __call__(self, session: Session, /, *, limit: int, cursor: str | None) -> Page[Any]: ...


@auth.verify_token  # type: ignore[untyped-decorator]
def _verify(text: str) -> Principal | None:
    if not text:
        return None
    with writing() as session:
        principal = find_principal(session, text)
        if principal is not None:
            note_use(session, principal.token_id)
    return principal


@auth.get_user_roles  # type: ignore[untyped-decorator]
def _roles(principal: Principal) -> list[str]:
    return [role.value for role in Role if principal.role.covers(role)]


@auth.error_handler  # type: ignore[untyped-decorator]
def _refused(status: int) -> Response:
    if status == 403:
        detail = "this token's role does not allow it. Ask an admin for one with the role auditor or admin."
        return problem(Problem(PROBLEM_TYPES + "forbidden", "Forbidden", 403, detail, 2))
    detail = (
        "a valid token is needed: `Authorization: Bearer eh_…`. The one given is missing, unknown, revoked or expired. "
        "`evenhand token create` makes one."
    )
    return problem(Problem(PROBLEM_TYPES + "unauthorized", "Unauthorized", 401, detail, 2))


def principal() -> Principal:
    """Who asks, in a route that needs a token."""
    return cast(Principal, auth.current_user)


def body(model: type[Document]) -> Document:
    """The request's JSON as a document.

    Raises:
        WrongContentType: it is not sent as JSON.
        InvalidBody: it is no JSON, or does not fit. KeyTwice: an object has a key twice.
    """
    if request.mimetype != JSON:
        raise WrongContentType(request.mimetype or None, f"send {JSON}")
    content = request.get_data(cache=True)
    try:
        found = model.model_validate_json(content)
    except ValidationError as error:
        raise InvalidBody(error.errors(include_url=False, include_input=False), model) from error
    json.loads(content, object_pairs_hook=_refuse_twice)  # of two, the validation took the last
    return found


def _refuse_twice(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise KeyTwice(key)
        seen.add(key)


def document(model: BaseModel, *, status: int = 200, location: str | None = None) -> Response:
    """A document as JSON."""
    response = Response(model.model_dump_json(by_alias=True), status=status, mimetype=JSON)
    if location is not None:
        response.headers["Location"] = location
        # a relative Location is allowed, and right behind any proxy
        response.autocorrect_location_header = False
    return response


def page_of(
    query: Listed, paging: Paging, shown: Callable[[Any], BaseModel], kind: type[BaseModel], **beside: Any
) -> Response:
    """One page of a list as JSON.

    Args:
        query: what is listed.
        shown: a row as it travels.
        kind: the document of the page, with `items` and `next`; what else it has is `beside`.

    Raises:
        BadCursor: the cursor is not one.
    """
    with reading() as session:
        page = query(session, limit=paging.limit, cursor=paging.cursor)
    return document(kind(items=list(map(shown, page.items)), next=page.next, **beside))


def problem(found: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem as application/problem+json."""
    return Response(json.dumps(found.document()), status=found.status, mimetype=PROBLEM, headers=headers)


# --- what the OpenAPI document says ---

SHOWN: dict[str, type[BaseModel]] = {}
"""Every model that the OpenAPI document refers to, by name."""


def ref(model: type[BaseModel]) -> dict[str, str]:
    """A reference to the schema of a model."""
    SHOWN[model.__name__] = model
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def answers(status: int, description: str, model: type[BaseModel] | None = None, **headers: str) -> Any:
    """`@bp.doc(responses=answers(...))`: one kind of success, for APIFlask, whose type of it is too narrow."""
    answer: dict[str, Any] = {"description": description}
    if model is not None:
        answer["content"] = {JSON: {"schema": ref(model)}}
    if headers:
        answer["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
        }
    return {str(status): answer}


def takes(content: dict[str, dict[str, Any]], *parameters: dict[str, Any]) -> dict[str, Any]:
    """`@bp.doc(extensions=takes(...))`: the request body by content type, and `x-parameters` beside those found."""
    return {"requestBody": {"required": True, "content": content}, "x-parameters": list(parameters)}


def json_content(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    return {JSON: {"schema": ref(model)}}


def parameter(name: str, place: str, description: str, *, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": False,
        "description": description,
        "schema": schema or {"type": "string"},
    }


IDEMPOTENCY_KEY = parameter(
    "Idempotency-Key",
    "header",
    "any text of your own; the same key with the same request gets the first answer again, and nothing is made twice",
    schema={"type": "string", "minLength": 1, "maxLength": 255},
)

View = Callable[..., Response]
