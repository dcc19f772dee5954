"""torchattacks and foolbox in the peers' environment, on evenhand's own torch: neither brings one that fits."""

import json
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from benchmarks.peers import FOLDER, PYTHON, SCRIPTS
from numpy.typing import NDArray

NAMES = ("torchattacks", "foolbox", "eagerpy", "git")
WITHOUT_DEPENDENCIES = ("torchattacks>=3.5,<4", "foolbox>=3.3,<4", "eagerpy")
"""torchattacks would bring an old requests and torchvision; its attacks run without either."""


@dataclass(frozen=True)
class Answer:
    """`seconds` of one core, and which pictures stayed correct, shape (n,)."""

    seconds: float
    robust: NDArray[np.bool_]


def attack_answers(folder: Path, task: dict[str, object], *, timeout_seconds: int = 900) -> dict[str, Answer] | str:
    """What each attack of the task achieved, or why there is none.

    Args:
        folder: holds `network.safetensors` and `pictures.npz`; `task.json` is written there.
        task: norm, eps, steps, targets, batch, and the names of the attacks.
        timeout_seconds: of the peers' process.
    """
    if (problem := installed()) is not None:
        return f"the peers could not be installed: {problem}"
    (folder / "task.json").write_text(json.dumps(task))
    command = [str(PYTHON), str(SCRIPTS / "attacks_seconds.py"), sysconfig.get_path("purelib"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_seconds)
    if done.returncode:
        return f"the peers failed: {done.stderr.strip().splitlines()[-1]}"
    answers = json.loads(done.stdout.splitlines()[-1])["answers"]
    return {name: Answer(one["seconds"], np.array(one["robust"])) for name, one in answers.items()}


@cache
def installed() -> str | None:
    """Why the peers cannot be had, or None; installs them once."""
    if not PYTHON.exists():
        made = subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], capture_output=True, text=True, check=False)
        if made.returncode:
            return (made.stdout + made.stderr).strip()
    there = f"import importlib.util as u, sys; sys.exit(not all(u.find_spec(name) for name in {NAMES!r}))"
    if subprocess.run([str(PYTHON), "-c", there], capture_output=True, check=False).returncode == 0:
        return None
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    for wanted in (["--no-deps", *WITHOUT_DEPENDENCIES], ["GitPython", "requests"]):
        done = subprocess.run([*pip, *wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stderr.strip()
    return None
