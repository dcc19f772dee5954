"""What a report was made with: versions and the machine's kind, so that it can be made again."""

import platform
from importlib.metadata import PackageNotFoundError, version

from evenhand.auditors.report import Confinement, Environment

RECORDED = ("numpy", "scipy", "pyarrow")
RECORDED_WITH_MODEL = ("torch", "scikit-learn", "onnxruntime")


def environment(*, with_model: bool, device: str, confined: str | None = None) -> Environment:
    """Versions of what took part in the numbers, and how the model was confined.

    Args:
        confined: the mode that the model ran in; None where nothing was confined.
    """
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
        confinement=_confinement(confined) if confined is not None else None,
    )


def _confinement(mode: str) -> Confinement:
    from evenhand.classifiers.confine.mode import confinement

    found = confinement()
    return Confinement(
        mode=mode,  # type: ignore[arg-type]  # the names are those of classifiers.confine.mode
        landlock_abi=found.landlock_abi,
        seccomp=found.seccomp,
        bwrap=found.bwrap,
        reason=found.reason,
    )
