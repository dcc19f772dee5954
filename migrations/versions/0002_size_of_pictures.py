"""The size of a data set's pictures, so that a model that reads others is refused before it is queued.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("datasets", sa.Column("image_shape", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("datasets", "image_shape")
