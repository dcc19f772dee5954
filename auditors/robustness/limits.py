"""What the attacks lacked, in words: gradients, scores, queries, pictures. Each makes robust accuracy look higher."""

from evenhand.auditors.robustness.masking import Setting


def limits_in_words(setting: Setting) -> list[str]:
    """Sentences of the report; none where attacks with gradients ran."""
    if setting.white:
        return []
    search = setting.black[-1]
    asked = f"{search.attack.queries} queries a picture"
    if setting.labels_only:
        return [
            "The classifier answers with labels alone (every probability is 0 or 1): only attacks on hard labels were "
            f"possible, random noise and {search.attack.name}, with {asked} and size. Robust accuracy is a weak upper bound; "
            "scores would let attacks break more."
        ]
    return [
        f"The classifier gives no gradients: random noise and Square alone were tried, with {asked}; real robustness "
        "is lower."
    ]
