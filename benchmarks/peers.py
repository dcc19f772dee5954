"""Peers that want other library versions than evenhand: an environment of their own, made once under .venv-peers/.

Each peer runs there as a script of `peer_scripts/`, in the same run as its counterpart here, on the same rows from a file.
"""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".venv-peers"
PYTHON = FOLDER / "bin" / "python"
SCRIPTS = Path(__file__).parent / "peer_scripts"
REQUIREMENTS = {
    "aequitas": ("aequitas>=1,<2", "pandas<3", "pyarrow"),
    "divexplorer": ("divexplorer", "pandas<3", "pyarrow"),
    "shap": ("shap", "scikit-learn"),
}


def peer_seconds(peer: str, *arguments: str, timeout_seconds: int = 300) -> float | None:
    """Seconds that the peer's script reports; None, with the reason printed, where it cannot be installed or run."""
    if (problem := installed(peer)) is not None:
        print(f"  {peer} could not be installed, and is not compared: {problem}")
        return None
    command = [str(PYTHON), str(SCRIPTS / f"{peer}_seconds.py"), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        print(f"  {peer} did not finish in {timeout_seconds} s, and is not compared")
        return None
    if done.returncode:
        print(f"  {peer} failed, and is not compared: {_last_line(done.stderr)}")
        return None
    answer = json.loads(done.stdout.splitlines()[-1])
    print(f"  {peer} {answer['version']}, pandas {answer['pandas']}")
    return float(answer["seconds"])


@cache
def installed(peer: str) -> str | None:
    """Why the peer cannot be had, or None."""
    if not PYTHON.exists():
        made = subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], capture_output=True, text=True, check=False)
        if made.returncode:
            return _last_line(made.stdout + made.stderr)
    if subprocess.run([str(PYTHON), "-c", f"import {peer}"], capture_output=True, check=False).returncode == 0:
        return None
    print(f"  installing {peer} into {FOLDER.name}/ (once; about a minute)", flush=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *REQUIREMENTS[peer]]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else _last_line(done.stderr)


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no message")
