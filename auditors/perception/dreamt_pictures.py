"""The pictures beside the dream checks, chosen by a stated rule and never by their looks."""

import numpy as np

from evenhand.auditors.perception.dreams import Dreams
from evenhand.auditors.perception.drift import LEASH, Drifted
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.pictures import data_uri

SHOWN_STARTS = 4
SHOWN_DRIFTS = 4


def dream_panel(dreams: Dreams, classes: tuple[str, ...]) -> Panel:
    """The first four of the sixteen starts, each as dreamt toward every class."""
    names = [classes[label] for label in dreams.labels]
    return Panel(
        name="dreams_under_a_prior",
        title="What the network dreams of",
        text=(
            "A network only sees what it was trained to see. Each picture began as a random mixture of the pictures "
            "audited; it was then changed, step by step, until the network saw as much as possible of one class in it, "
            "while it had to stay a likely picture. Pictures of one number began alike: compare them. If those of one "
            "class look more like one group, the network takes that group for the class. Two judges of their own, "
            "trained on the pictures audited, measure it; the figures of the check are theirs, not the viewer's "
            f"impression. Shown are the first {SHOWN_STARTS} of {len(dreams.pictures)} starts, whatever they look like."
        ),
        limits=(
            "Why a group is in the dream. What goes with it among the pictures audited (hair, clothes, backgrounds) comes "
            "along, and a few dreams leaning to a group say little."
        ),
        why_no_verdict=f"The pictures have none. The verdict above is of the two judges, over {len(dreams.pictures)} starts.",
        images=[
            {"src": data_uri(dreams.pictures[start, index]), "alt": f"dream {start + 1} of {name}"}
            for start in range(min(SHOWN_STARTS, len(dreams.pictures)))
            for index, name in enumerate(names)
        ],
    )


def drift_panel(drifted: Drifted, pictures: Pictures, classes: tuple[str, ...]) -> Panel:
    """Four of the chosen pictures, evenly spaced in their order, each as it was and as enhanced toward every class."""
    names = [classes[label] for label in drifted.labels]
    shown = np.unique(np.linspace(0, len(drifted.rows) - 1, SHOWN_DRIFTS).round().astype(int))
    images = []
    for number, place in enumerate(shown, start=1):
        images.append({"src": data_uri(pictures[drifted.rows[place]]), "alt": f"picture {number} as it is"})
        images += [
            {"src": data_uri(drifted.pictures[place, index]), "alt": f"picture {number}, enhanced toward {name}"}
            for index, name in enumerate(names)
        ]
    return Panel(
        name="enhanced_pictures",
        title="Real pictures, enhanced toward each class",
        text=(
            f"{len(drifted.rows)} real pictures were changed a little, so that the network saw more of each class in "
            f"them: a pixel by {LEASH:.0%} of its range, in the root mean square, at most. If the changes toward one "
            "class make a picture look more like one group, the network reads the group into the class. The change "
            "may be too fine for the eye; the two judges of the check measure it. Shown are "
            f"{len(shown)} of the pictures, evenly spaced in the order of the data."
        ),
        limits=(
            "Whether any decision turns: pictures are pushed toward a class on purpose. What goes with a group (hair, clothes, "
            "backgrounds) drifts along with it."
        ),
        why_no_verdict=f"The pictures have none. The verdict above is of the two judges, over all {len(drifted.rows)} pictures.",
        images=images,
    )
