"""The values of a data set's columns that have few, so that a label of words is asked about before an audit is queued.

Revision 0005, after 0004. Data sets that were uploaded before have none; their audits find out for themselves.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("datasets", sa.Column("values", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("datasets", "values")
