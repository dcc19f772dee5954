"""What people decide about reports. The database itself keeps reviews from being changed, and from going before their report.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ON_SQLITE = (
    """CREATE TRIGGER reviews_stay_as_they_are BEFORE UPDATE ON reviews
    BEGIN SELECT RAISE(ABORT, 'a review is never changed; a later one supersedes it'); END""",
    """CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews WHEN EXISTS (SELECT 1 FROM reports WHERE id = OLD.report_id)
    BEGIN SELECT RAISE(ABORT, 'a review goes with its report only'); END""",
)
ON_POSTGRESQL = (
    """CREATE FUNCTION reviews_stay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            RAISE EXCEPTION 'a review is never changed; a later one supersedes it';
        END IF;
        IF EXISTS (SELECT 1 FROM reports WHERE id = OLD.report_id) THEN
            RAISE EXCEPTION 'a review goes with its report only';
        END IF;
        RETURN OLD;
    END $$""",
    """CREATE TRIGGER reviews_stay BEFORE UPDATE OR DELETE ON reviews
    FOR EACH ROW EXECUTE FUNCTION reviews_stay()""",
)


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=True),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("justification", sa.Text(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("supersedes", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_reviews_report_id_reports", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["supersedes"], ["reviews.id"], name="fk_reviews_supersedes_reviews"),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_reviews_token_id_tokens"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        sa.UniqueConstraint("supersedes", name="uq_reviews_supersedes"),
    )
    op.create_index("ix_reviews_report_id_created_at", "reviews", ["report_id", "created_at"])
    for statement in ON_SQLITE if _on_sqlite() else ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    # triggers go with their table
    op.drop_table("reviews")
    if not _on_sqlite():
        op.execute("DROP FUNCTION reviews_stay()")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
