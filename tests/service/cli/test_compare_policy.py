"""`evenhand compare` where the policy changed: what lets more pass is named and exits one, what lets less pass is named."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evenhand.service.cli import cli

POLICY = """
alpha = 0.05
small_groups = "inconclusive"

[data]
source = "people.csv"
label = "y"
prediction = "p"
sensitive = ["sex", "race"]
where = { kept = "1" }

[[check]]
metric = "impact_ratio"
within = 0.8

[[check]]
metric = "accuracy_difference"
within = 0.3
attributes = ["sex"]
gate = "strict"

[[check]]
metric = "true_positive_rate_difference"
within = 0.3
attributes = ["sex × race"]
gate = "proof"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People of two sexes and two races who are selected alike, and the report of a release by POLICY."""
    folder = tmp_path_factory.mktemp("release")
    rows = [
        f"{sex},{race},{number % 2},{number // 2 % 2},{int(number < 1950)}"
        for sex in "FM"
        for race in "AB"
        for number in range(2000)
    ]
    (folder / "people.csv").write_text("\n".join(["sex,race,y,p,kept", *rows]) + "\n")
    audited(folder, "release", POLICY)
    return folder


def audited(folder: Path, name: str, policy: str) -> None:
    (folder / f"{name}.toml").write_text(policy)
    options = ["--json", str(folder / f"{name}.json"), "--only", "group_disparity", "--quiet"]
    done = CliRunner().invoke(cli, ["audit", str(folder / f"{name}.toml"), *options])
    assert done.exit_code == 0, done.output


def compared(folder: Path, changes: dict[str, str], *options: str) -> Result:
    """The release against a request that changes its policy by these texts, and nothing else."""
    policy = POLICY
    for one, other in changes.items():
        assert one in policy
        policy = policy.replace(one, other)
    audited(folder, "request", policy)
    reports = [str(folder / "release.json"), str(folder / "request.json")]
    return CliRunner().invoke(cli, ["compare", *reports, *options])


ACCURACY = POLICY[POLICY.index('[[check]]\nmetric = "acc') : POLICY.index('[[check]]\nmetric = "true')]

LOOSER = [
    ({"within = 0.8": "within = 0.5"}, "tolerance of impact ratio (sex, race, sex × race): .800 → .500 (looser)"),
    ({"within = 0.8": "within = 0.7999"}, "tolerance of impact ratio (sex, race, sex × race): .800 → 0.7999 (looser)"),
    (
        {'within = 0.3\nattributes = ["sex"]': 'within = 0.4\nattributes = ["sex"]'},
        "tolerance of accuracy difference (sex): .300 → .400 (looser)",
    ),
    ({"alpha = 0.05": "alpha = 0.2"}, "alpha, for checks gated as strict: 0.05 → 0.2 (looser)"),
    ({"alpha = 0.05": "alpha = 0.001"}, "alpha, for checks gated as proof: 0.05 → 0.001 (looser)"),
    ({'gate = "strict"': 'gate = "proof"'}, "gate of accuracy difference (sex): strict → proof (looser)"),
    ({'gate = "strict"': 'gate = "off"'}, "gate of accuracy difference (sex): strict → off (looser)"),
    ({ACCURACY: ""}, "check of accuracy difference (sex): strict → not asked for (looser)"),
    (
        {'small_groups = "inconclusive"': 'small_groups = "list"'},
        "small groups of impact ratio (sex, race, sex × race): inconclusive → list (looser)",
    ),
    (
        {'gate = "strict"': 'gate = "strict"\nsmall_groups = "list"'},
        "small groups of accuracy difference (sex): inconclusive → list (looser)",
    ),
    (
        {'["sex", "race"]': '["sex"]', 'attributes = ["sex × race"]': 'attributes = ["sex"]'},
        "check of impact ratio (race): strict → not asked for (looser)",
    ),
    ({'where = { kept = "1" }': ""}, "data.where: {'kept': '1'} → absent (another question)"),
    ({'label = "y"': 'label = "y"\nfavourable = "0"'}, "data.favourable: 1 → 0 (another question)"),
]


def told(said: str) -> str:
    """What the last line says of a policy with this change."""
    if "another question" in said:
        return "asks another question than before"
    dropped = "no longer asks for a check that was gated and " if "not asked for" in said else ""
    return f"{dropped}lets more pass than before"


@pytest.mark.parametrize(("changes", "said"), LOOSER)
def test_a_policy_that_lets_more_pass_is_named_and_exits_one(folder: Path, changes: dict[str, str], said: str) -> None:
    found = compared(folder, changes)

    assert f"policy: {said}" in found.output
    assert found.exit_code == 1
    assert found.output.splitlines()[-1] == (
        f"Exit code 1: the policy {told(said)}. Where that was reviewed, add --allow-policy-change."
    )


@pytest.mark.parametrize(("changes", "said"), LOOSER)
def test_one_that_was_reviewed_passes_and_the_output_says_so(folder: Path, changes: dict[str, str], said: str) -> None:
    found = compared(folder, changes, "--allow-policy-change")

    assert f"policy: {said}" in found.output
    assert found.exit_code == 0
    assert found.output.splitlines()[-1].endswith(f"; the policy {told(said)}, as --allow-policy-change allows.")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"within = 0.8": "within = 0.85"}, "tolerance of impact ratio (sex, race, sex × race): .800 → .850 (tighter)"),
        ({'gate = "proof"': 'gate = "strict"'}, "gate of true positive rate difference (sex × race): proof → strict (tighter)"),
        ({"alpha = 0.05": "thorough = true"}, "thorough: False → True (tighter)"),
        ({"alpha = 0.05": "seed = 4"}, "seed: 0 → 4 (no gate turns on it)"),
        (
            {"[[check]]\nmetric = \"acc": '[[check]]\nmetric = "precision_difference"\nwithin = 0.3\n\n[[check]]\nmetric = "acc'},
            "level of each check: 99.00% → 99.38% (as more or fewer gated checks share alpha)",
        ),
    ],
)  # fmt: skip
def test_a_policy_that_lets_less_pass_is_named_and_exits_zero(folder: Path, changes: dict[str, str], said: str) -> None:
    found = compared(folder, changes)

    assert f"policy: {said}" in found.output
    assert found.exit_code == 0, found.output
    assert found.output.splitlines()[-1] == "Exit code 0: no gated check got worse or is gone."


def test_alpha_tightens_where_no_check_is_gated_as_proof(folder: Path) -> None:
    single = POLICY.replace('sensitive = ["sex", "race"]', 'sensitive = ["sex"]')
    single = single[: single.index('[[check]]\nmetric = "true')]
    for name, alpha in (("before", "0.05"), ("after", "0.01")):
        audited(folder, name, single.replace("alpha = 0.05", f"alpha = {alpha}"))

    found = CliRunner().invoke(cli, ["compare", str(folder / "before.json"), str(folder / "after.json")])

    assert "policy: alpha: 0.05 → 0.01 (tighter)" in found.output
    assert found.exit_code == 0


def test_the_option_excuses_no_check_that_got_worse_or_vanished_from_the_data(folder: Path) -> None:
    one_race = (folder / "people.csv").read_text().replace(",B,", ",A,").replace("F,A,0,0", "F,A,0,1")
    (folder / "other.csv").write_text(one_race)
    policy = POLICY.replace("people.csv", "other.csv").replace("within = 0.8", "within = 0.7")
    (folder / "other.toml").write_text(policy)
    CliRunner().invoke(cli, ["audit", str(folder / "other.toml"), "--json", str(folder / "other.json"), "--quiet"])
    reports = [str(folder / "release.json"), str(folder / "other.json")]

    found = CliRunner().invoke(cli, ["compare", *reports, "--allow-policy-change"])

    assert found.output.splitlines()[-1].startswith("Exit code 1: a gated check got worse or is gone;")
    assert found.exit_code == 1


def test_gated_checks_stand_before_the_rest_and_the_rest_is_one_line_unless_asked_for(folder: Path) -> None:
    found = compared(folder, {"within = 0.8": "within = 0.5"})
    every = compared(folder, {"within = 0.8": "within = 0.5"}, "--all")

    lines = [line for line in found.output.splitlines() if line.startswith("  ")]
    assert lines[1] == "  impact ratio, sex: 1.000 → 1.000, proven within → proven within, tolerance .800 → .500"
    assert lines[-1].endswith("0 in verdict; 0 new; 0 gone (`evenhand compare --all` lists them)")
    assert len(lines) == 5
    listed = [line for line in every.output.splitlines() if line.startswith("  not gated: ")]
    assert len(listed) > 5
    assert any(line.startswith("  not gated: impact ratio, sex × race (F × A and the rest): ") for line in listed)


def test_a_dropped_column_is_what_dropped_its_checks_and_no_gate_is_said_not_to_turn_on_it(folder: Path) -> None:
    changes = {'["sex", "race"]': '["sex"]', 'attributes = ["sex × race"]': 'attributes = ["sex"]'}

    found = compared(folder, changes, "--allow-policy-change")

    assert "policy: data.sensitive: ['sex', 'race'] → ['sex'] (by which checks are dropped, above)" in found.output
    assert "or is gone" not in found.output
    assert found.output.splitlines()[-1].startswith(
        "Exit code 0: no gated check got worse; the policy no longer asks for"
    )


def test_naming_the_audits_that_ran_anyway_changes_nothing(folder: Path) -> None:
    found = compared(folder, {"alpha = 0.05": 'alpha = 0.05\nonly = ["group_disparity"]'})

    assert "policy: only" not in found.output
    assert found.exit_code == 0


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sexes selected at .5 and .44: an impact ratio of .88."""
    folder = tmp_path_factory.mktemp("uneven")
    for name, rate in (("people", 0.44), ("worse", 0.43), ("better", 0.442)):
        rows = [f"{sex},{int(row < share * 9000)}" for sex, share in (("F", rate), ("M", 0.5)) for row in range(9000)]
        (folder / f"{name}.csv").write_text("\n".join(["sex,p", *rows]) + "\n")
    return folder


def held_to(folder: Path, name: str, within: float, data: str = "people") -> Path:
    (folder / f"{name}.toml").write_text(
        f'[data]\nsource = "{data}.csv"\nprediction = "p"\nsensitive = ["sex"]\n\n'
        f'[[check]]\nmetric = "impact_ratio"\nwithin = {within}\n'
    )
    CliRunner().invoke(cli, ["audit", str(folder / f"{name}.toml"), "--json", str(folder / f"{name}.json"), "--quiet"])
    return folder / f"{name}.json"


@pytest.mark.parametrize(("data", "within"), [("people", 0.88), ("people", 0.95), ("better", 0.95)])
def test_a_check_that_turned_by_a_tighter_tolerance_alone_is_no_regression(
    uneven: Path, data: str, within: float
) -> None:
    reports = [str(held_to(uneven, "before", 0.8)), str(held_to(uneven, "after", within, data))]

    found = CliRunner().invoke(cli, ["compare", *reports])

    assert "proven within → proven within" not in found.output
    assert f", tolerance .800 → {within:.3f}".replace("0.", ".") + ", by the tighter tolerance alone" in found.output
    assert found.exit_code == 0
    assert found.output.splitlines()[-1] == (
        "Exit code 0: no gated check got worse or is gone; a check turned by its tighter tolerance alone, which the gate of "
        "the report itself judges."
    )


def test_one_whose_numbers_got_worse_too_is_a_regression(uneven: Path) -> None:
    reports = [str(held_to(uneven, "before", 0.8)), str(held_to(uneven, "after", 0.95, "worse"))]

    found = CliRunner().invoke(cli, ["compare", *reports])

    assert ", worse" in found.output
    assert found.output.splitlines()[-1] == "Exit code 1: a gated check got worse or is gone."
    assert found.exit_code == 1
