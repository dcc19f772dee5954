"""The queries of projects."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from evenhand.service.errors import UnknownProject
from evenhand.service.projects.tables import Project


def list_projects(session: Session) -> list[Project]:
    """Every project, by name."""
    return list(session.scalars(sa.select(Project).order_by(Project.name)))


def require_project(session: Session, project_id: str) -> str:
    """The id itself. Raises UnknownProject."""
    if session.get(Project, project_id) is None:
        raise UnknownProject(project_id, [project.id for project in list_projects(session)])
    return project_id
