"""The text of each audit that a search looks for words in.

Revision 0003, after 0002.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AT_ONCE = 500

AUDITS = sa.table(
    "audits",
    *(sa.column(name) for name in ("id", "title", "dataset", "dataset_name", "model", "model_name", "searched")),
    sa.column("request", sa.JSON),
)
REPORTS = sa.table("reports", sa.column("id"), sa.column("audit_id"))
FINDINGS = sa.table("findings", sa.column("report_id"), sa.column("attribute"))


def upgrade() -> None:
    op.add_column("audits", sa.Column("searched", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    for ids in _parts(list(connection.scalars(sa.select(AUDITS.c.id)))):
        _fill_in(connection, ids)


def downgrade() -> None:
    op.drop_column("audits", "searched")


def _fill_in(connection: sa.Connection, ids: Sequence[str]) -> None:
    owned = sa.select(REPORTS.c.audit_id, REPORTS.c.id).where(REPORTS.c.audit_id.in_(ids))
    reports = {row.audit_id: row.id for row in connection.execute(owned)}
    attributes: dict[str, list[str]] = {}
    asked = sa.select(FINDINGS.c.report_id, FINDINGS.c.attribute).distinct()
    for report, attribute in connection.execute(asked.where(FINDINGS.c.report_id.in_(list(reports.values())))):
        attributes.setdefault(report, []).extend((attribute or "").split(" × "))
    rows = [
        {"key": audit.id, "text": _text(audit, reports.get(audit.id), attributes.get(reports.get(audit.id, ""), ()))}
        for audit in connection.execute(sa.select(AUDITS).where(AUDITS.c.id.in_(ids)))
    ]
    change = sa.update(AUDITS).where(AUDITS.c.id == sa.bindparam("key")).values(searched=sa.bindparam("text"))
    connection.execute(change, rows)


def _text(audit: Any, report: str | None, attributes: Iterable[str]) -> str:
    request = json.loads(audit.request) if isinstance(audit.request, str) else audit.request
    sensitive = request.get("policy", {}).get("data", {}).get("sensitive") or ()
    names = (audit.title, audit.dataset_name, audit.dataset, audit.model_name, audit.model, audit.id, report)
    return " ".join(dict.fromkeys(_folded(text) for text in (*names, *sensitive, *attributes) if text))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _parts(ids: list[str]) -> Iterator[list[str]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
