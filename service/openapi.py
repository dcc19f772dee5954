"""The OpenAPI document as a file: `python -m evenhand.service.openapi --write` refreshes docs/reference/openapi.json."""

import json
import sys
import tempfile
from pathlib import Path

from evenhand.service.app import create_app
from evenhand.service.config import Config

COMMITTED = Path("docs/reference/openapi.json")


def generate() -> str:
    """The document as committed."""
    with tempfile.TemporaryDirectory() as home:
        app = create_app(Config.from_environment({"EVENHAND_HOME": home}))
        with app.app_context():
            return json.dumps(app.spec, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    text = generate()
    if "--write" in arguments:
        COMMITTED.parent.mkdir(parents=True, exist_ok=True)
        COMMITTED.write_text(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
