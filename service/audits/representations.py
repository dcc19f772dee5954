"""How REST takes and shows audits. What a job carries to the audit itself is AuditRequest, in documents."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from evenhand.auditors.policy import ENDPOINT_KEYS, Policy
from evenhand.auditors.report import AuditName
from evenhand.service.jobs.documents import Progress


class AuditSubmission(BaseModel):
    """The body of POST /audits, and what the dashboard's form fills in."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    dataset: str = Field(min_length=1, description="id of an uploaded data set, or a built-in name")
    model: str | None = Field(default=None, description="id of a model; absent: the predictions are in the data")
    title: str | None = Field(default=None, min_length=1, max_length=200)
    policy: Policy = Field(default=Policy(), description="as evenhand.toml; an empty one asks for the defaults")
    only: list[AuditName] | None = Field(default=None, min_length=1, description="absent: all that the subject allows")
    seed: StrictInt = Field(default=0, ge=0, lt=2**32)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    thorough: StrictBool = False
    allow_inconclusive: StrictBool = False

    @model_validator(mode="after")
    def _no_paths(self) -> "AuditSubmission":
        # a policy file names files of its reader's machine; here that would be the server's
        data, model = self.policy.data, self.policy.model
        named = {
            "policy/data/source": data.source,
            "policy/data/train_source": data.train_source,
            "policy/model/path": model.path if model else None,
        }
        if found := [place for place, path in named.items() if path is not None]:
            raise PydanticCustomError(
                "names_a_file",
                "the policy names a file (`policy.data.source`, `policy.data.train_source` or `policy.model.path`), which the "
                "service does not read. Upload the files and name their ids as `dataset` and `model`",
                {"place": found[0].split("/")},
            )
        if model is not None and (model.url is not None or model.model_fields_set & set(ENDPOINT_KEYS)):
            raise PydanticCustomError(
                "describes_an_endpoint",
                "the policy describes an endpoint (`policy.model`). POST the description to /api/v1/models first, and name "
                "its id as `model`",
                {"place": ["policy", "model"]},
            )
        return self


class AuditDocument(Progress):
    """An audit as REST shows it."""

    id: str
    title: str
    dataset: str
    dataset_name: str
    model: str | None
    model_name: str | None
    report: str | None = Field(description="id of the report, once it is there")
    verdict: Literal["proven_disparity", "proven_within", "inconclusive"] | None
    exit_code: int | None = Field(description="as `evenhand audit` exits")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    created_by: str | None
    links: dict[str, str] = Field(description="`self`, and `report` once it is there")


class AuditList(BaseModel):
    """One page of audits, newest first."""

    items: list[AuditDocument]
    next: str | None = Field(description="cursor of the next page; null on the last")
