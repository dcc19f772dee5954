"""A kernel without Landlock, simulated by a filter that answers ENOSYS to it: what is then run, and what is said."""

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from .build import linear, written

BWRAP = """#!/bin/sh
# Takes the options of bubblewrap and does nothing about them but to start the program.
while :; do
  case "$1" in
    --unshare-all|--die-with-parent|--new-session) shift ;;
    --ro-bind|--ro-bind-try) shift 3 ;;
    --dev|--proc|--chdir|--cap-drop) shift 2 ;;
    --) shift; break ;;
    *) break ;;
  esac
done
exec "$@"
"""
BROKEN_BWRAP = "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"

SCRIPT = """
import dataclasses, errno, json, os, sys
from click.testing import CliRunner
from evenhand.classifiers.confine import lock, mode, seccomp

folder, bwrap, broken = sys.argv[1:]
answer = [(seccomp.LOAD, 0, 0, seccomp.NUMBER)]
for call in (444, 445, 446):
    answer += [(seccomp.EQUAL, 0, 1, call), (seccomp.RETURN, 0, 0, seccomp.FAIL | errno.ENOSYS)]
lock._prctl(lock.PR_SET_NO_NEW_PRIVS, 1)
seccomp.install([*answer, (seccomp.RETURN, 0, 0, seccomp.ALLOW)])

from evenhand.classifiers.errors import ClassifierError
from evenhand.classifiers.loading import load_classifier
from evenhand.service.cli import cli, doctor
from evenhand.service.health import api as health

for check in ("package", "device", "data", "database"):
    doctor.CHECKS.pop(check)


def tried(path="/nowhere", **setting):
    os.environ.pop("EVENHAND_SANDBOX", None)
    os.environ.update(setting, PATH=path)
    mode._why_no_bwrap.cache_clear()
    health._confinement.cache_clear()
    found = dataclasses.asdict(mode.confinement())
    try:
        with load_classifier(f"{folder}/model.onnx", features=["a", "b"]) as loaded:
            found["ran"] = loaded.card.confined
    except ClassifierError as refused:
        found["refused"] = str(refused)
    ran = CliRunner().invoke(cli, ["doctor"])
    return found | {"doctor": ran.output, "doctor_code": ran.exit_code, "ready": health._checked(health._confinement)}


def audited(*options):
    report = f"{folder}/report.json"
    ran = CliRunner().invoke(cli, ["audit", f"{folder}/rows.csv", "--sensitive", "sex", "--json", report, *options])
    document = json.load(open(report)) if ran.exit_code in (0, 1, 3) else {}
    return {"code": ran.exit_code, "said": ran.output, "environment": document.get("environment")}


MODEL = ["--model", f"{folder}/model.onnx", "--features", "a,b", "--label", "y", "--only", "group_disparity"]
told = {"none": tried(), "refused_audit": audited(*MODEL), "predictions": audited("--prediction", "yhat")}
told["broken"] = tried(broken)
told["bwrap"] = tried(bwrap)
told["weak"] = tried(EVENHAND_SANDBOX="weak")
told["weak_audit"] = audited(*MODEL)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened, by case."""
    folder = tmp_path_factory.mktemp("without")
    written(linear(np.eye(2, dtype=np.float32), last="Softmax"), folder / "model.onnx")
    rows = "".join(f"{i % 2},{i % 3},{i % 2},{(i // 2) % 2},{'FM'[i % 2]}\n" for i in range(120))
    (folder / "rows.csv").write_text(f"a,b,y,yhat,sex\n{rows}")
    for name, text in (("works", BWRAP), ("broken", BROKEN_BWRAP)):
        (folder / name).mkdir()
        (folder / name / "bwrap").write_text(text)
        (folder / name / "bwrap").chmod(0o755)
    environment = {**os.environ, "EVENHAND_HOME": str(folder / "home")}
    arguments = [sys.executable, "-c", SCRIPT, str(folder), str(folder / "works"), str(folder / "broken")]
    ran = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize(
    ("case", "mode", "reason"),
    [
        ("none", "none", "this kernel has no Landlock, and bubblewrap is not installed"),
        ("broken", "none", "bubblewrap does not work (bwrap: No permissions to create new namespace)"),
        ("bwrap", "bwrap", "this kernel has no Landlock"),
        ("weak", "weak", "this kernel has no Landlock, and bubblewrap is not installed"),
    ],
)
def test_the_mode_and_its_reason_are_said_everywhere(told: dict[str, Any], case: str, mode: str, reason: str) -> None:
    found = told[case]

    assert (found["mode"], found["landlock_abi"], found["seccomp"]) == (mode, 0, True)
    assert reason in found["reason"]
    assert "Landlock no, seccomp yes" in found["doctor"]
    assert {key: found["ready"][key] for key in ("ok", "mode", "reason")} == {
        "ok": True,  # the service is up: what needs no confinement is audited
        "mode": mode,
        "reason": found["reason"],
    }


@pytest.mark.parametrize("case", ["none", "broken"])
def test_without_landlock_and_bubblewrap_files_are_refused_and_it_is_said_what_to_do(
    told: dict[str, Any], case: str
) -> None:
    found = told[case]

    assert "ran" not in found
    for way in ("Linux 5.13 or later with Landlock", "bubblewrap", "EVENHAND_SANDBOX=weak", "endpoints"):
        assert way in found["refused"]
        assert way in found["doctor"]
    assert (found["doctor"][:7], found["doctor_code"]) == ("MISSING", 2)
    assert "Uploaded models are refused" in found["ready"]["detail"]


def test_predictions_are_audited_all_the_same(told: dict[str, Any]) -> None:
    assert told["predictions"]["code"] in (0, 1, 3), told["predictions"]["said"]
    assert told["predictions"]["environment"]["confinement"] is None
    assert told["refused_audit"]["code"] == 2
    assert "cannot be confined" in told["refused_audit"]["said"]


def test_bubblewrap_that_works_takes_the_place_of_landlock(told: dict[str, Any]) -> None:
    assert (told["bwrap"]["ran"], told["bwrap"]["bwrap"]) == ("bwrap", True)
    assert told["bwrap"]["doctor"].startswith("ok")


def test_the_weak_way_runs_and_the_report_says_so(told: dict[str, Any]) -> None:
    confinement = told["weak_audit"]["environment"]["confinement"]

    assert told["weak"]["ran"] == "weak"
    assert "files can be read" in told["weak"]["doctor"]
    assert confinement["mode"] == "weak"
    assert "no Landlock" in confinement["reason"]
    assert (confinement["landlock_abi"], confinement["seccomp"], confinement["bwrap"]) == (0, True, False)
