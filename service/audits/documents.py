"""What asks for an audit: the one document that the command line, REST and the dashboard fill in, and a job carries."""

from pydantic import BaseModel, ConfigDict, Field

from evenhand.auditors.policy import Policy
from evenhand.auditors.report import AuditName

FRAME = "the data frame"
"""What messages and the report call rows that came from memory."""


class AuditRequest(BaseModel):
    """One audit to run. `source` and `model_path` are names or paths on this machine; ids are resolved before."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    source: str = Field(description="path of a table or images, or a built-in name")
    source_name: str | None = Field(default=None, description="how to call the source where its path says nothing")
    model_path: str | None = None
    model_name: str | None = None
    policy: Policy = Policy()
    only: list[AuditName] | None = Field(default=None, description="absent: every audit that the subject allows")
    device: str = "auto"
    thorough: bool = False
    seed: int = 0
    allow_inconclusive: bool = False
