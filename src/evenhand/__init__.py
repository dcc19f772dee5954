"""evenhand audits classifiers for algorithmic bias and says what it can prove."""

import os

from evenhand.version import VERSION as __version__

# onnxruntime's official Linux builds write a device id and send usage events unless this is set before its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["__version__"]
