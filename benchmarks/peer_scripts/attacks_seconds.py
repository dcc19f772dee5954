"""Run by the peers' Python: attacks of torchattacks and foolbox on a saved network. Arguments: evenhand's site-packages, folder.

The folder holds `network.safetensors`, `pictures.npz` and `task.json`. torch and the network come from evenhand's own
environment, so both sides compute with the same library and the same weights.
"""

import json
import site
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

site.addsitedir(sys.argv[1])
warnings.filterwarnings("ignore")

import foolbox  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchattacks  # noqa: E402

from evenhand.classifiers.loading import load_classifier  # noqa: E402

torch.set_num_threads(1)


def main(folder: Path) -> None:
    task = json.loads((folder / "task.json").read_text())
    held = np.load(folder / "pictures.npz")
    pictures = torch.from_numpy(np.ascontiguousarray(held["images"].transpose(0, 3, 1, 2)))
    label = torch.from_numpy(held["label"])
    answers = {}
    with load_classifier(folder / "network.safetensors") as loaded:
        module = loaded.classifier.module
        for name in task["attacks"]:
            torch.manual_seed(0)
            attack = _attack(name, module, task, classes=len(loaded.classifier.classes))
            seconds, robust = _timed(attack, module, pictures, label, task["batch"])
            answers[name] = {"seconds": seconds, "robust": robust}
    versions = {name: version(name) for name in ("torchattacks", "foolbox")}
    print(json.dumps({"answers": answers, "versions": versions}))


def _attack(name: str, module: torch.nn.Module, task: dict, *, classes: int):
    norm, eps, steps = {"linf": "Linf", "l2": "L2"}[task["norm"]], task["eps"], task["steps"]
    if name == "torchattacks APGD-CE":
        return torchattacks.APGD(module, norm=norm, eps=eps, steps=steps, n_restarts=1, loss="ce")
    if name == "torchattacks APGDT":
        return torchattacks.APGDT(module, norm=norm, eps=eps, steps=steps, n_restarts=1, n_classes=task["targets"] + 1)
    kind = foolbox.attacks.LinfPGD if norm == "Linf" else foolbox.attacks.L2PGD
    attack, model = kind(steps=steps), foolbox.PyTorchModel(module, bounds=(0, 1), device="cpu")
    return lambda part, label: attack(model, part, label, epsilons=eps)[1]


def _timed(attack, module: torch.nn.Module, pictures: torch.Tensor, label: torch.Tensor, batch: int):
    """Seconds of the core, and which pictures stay correct (those misread unchanged do not)."""
    robust, started = [], time.process_time()
    for start in range(0, len(pictures), batch):
        rows = slice(start, start + batch)
        changed = attack(pictures[rows], label[rows])
        with torch.no_grad():
            wrong = module(pictures[rows]).argmax(1) != label[rows]
            robust.append(~wrong & (module(changed.float()).argmax(1) == label[rows]))
    return time.process_time() - started, torch.cat(robust).tolist()


main(Path(sys.argv[2]))
