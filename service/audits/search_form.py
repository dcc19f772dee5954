"""The search above a list of the dashboard: what was typed, what is wrong with it, and the search it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from pydantic import ValidationError
from sqlalchemy.orm import Session

from evenhand.service.audits.search import EVERYTHING, Search
from evenhand.service.pages import FieldErrors, field_errors, given
from evenhand.service.paging import Page
from evenhand.service.projects.store import list_projects
from evenhand.service.projects.tables import Project

FIELDS = ("q", "from", "to", "outcome", "project")


class Listed(Protocol):
    """The query of a list that can be searched."""

    def __call__(self, session: Session, /, *, asked: Search, cursor: str | None) -> Page[Any]: ...


@dataclass(frozen=True)
class SearchForm:
    """A search as the dashboard shows it.

    Attributes:
        filled: field to what was typed; empty fields are absent.
        errors: field to what is wrong with it; where there is any, nothing is looked for.
        projects: to choose from; one alone is no choice.
    """

    filled: dict[str, str]
    errors: FieldErrors
    asked: Search
    projects: list[Project]

    @property
    def query(self) -> str:
        """The search in an address, to stand before the cursor of its next page."""
        return urlencode(self.filled) + "&" if self.filled else ""

    def page(self, session: Session, listed: Listed, *, cursor: str | None) -> Page[Any]:
        """One page of what is asked for. Raises BadCursor."""
        return Page([], None) if self.errors else listed(session, asked=self.asked, cursor=cursor)


def search_form(session: Session, arguments: Mapping[str, str]) -> SearchForm:
    """The search that an address asks for."""
    filled, projects = given(arguments, *FIELDS), list_projects(session)
    try:
        asked, errors = Search.model_validate(filled), {}
    except ValidationError as error:
        asked, errors = EVERYTHING, field_errors(error)
    if asked.project is not None and asked.project not in [project.id for project in projects]:
        errors = {"project": "There is no such project."}
    return SearchForm(filled, errors, asked, projects)
