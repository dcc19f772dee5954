"""What a report was made with: versions and the machine's kind, so that it can be made again."""

import platform
from importlib.metadata import PackageNotFoundError, version

from evenhand.auditors.report import Environment

RECORDED = ("numpy", "scipy", "pyarrow")
RECORDED_WITH_MODEL = ("torch", "scikit-learn", "onnxruntime")


def environment(*, with_model: bool, device: str) -> Environment:
    """Versions of what took part in the numbers."""
    packages = {}
    for name in (*RECORDED, *(RECORDED_WITH_MODEL if with_model else ())):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return Environment(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        packages=packages,
        device=device,
    )
