"""evenhand audits classifiers for algorithmic bias and says what it can prove.

From Python: `audit`, `MetricFrame`, `audit_aequitas`, `importers`. Each is imported when it is first asked for, so that
`import evenhand` stays instant.
"""

import os
from importlib import import_module

from evenhand.version import VERSION as __version__

TYPE_CHECKING = False  # checkers take it as true; `typing` is most of what this import would cost
if TYPE_CHECKING:
    from typing import Any

# onnxruntime's official Linux builds write a device id and send usage events unless this is set before its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["__version__"]

_LAZY = {
    "audit": "evenhand.service.python:audit",
    "AuditResult": "evenhand.service.python:AuditResult",
    "MetricFrame": "evenhand.service.python:MetricFrame",
    "Policy": "evenhand.auditors.policy:Policy",
    "audit_aequitas": "evenhand.service.importers.aequitas:audit",
    "importers": "evenhand.service.importers:",
}


def __getattr__(name: str) -> "Any":
    if name not in _LAZY:
        raise AttributeError(f"module 'evenhand' has no attribute '{name}'")
    module, _, attribute = _LAZY[name].partition(":")
    found = import_module(module)
    globals()[name] = getattr(found, attribute) if attribute else found
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
