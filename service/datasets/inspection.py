"""Looks into an uploaded data set, in a child process: `python -m evenhand.service.datasets.inspection PATH NAME`."""

import sys

from evenhand.service.jobs.child import Voice, speak


def inspect(path: str, name: str, voice: Voice) -> None:
    """Open the file as an audit would and say what is in it."""
    from evenhand.datasets.profile import few_values
    from evenhand.datasets.sources import open_source
    from evenhand.datasets.table import Table

    data = open_source(path, name)
    table = data if isinstance(data, Table) else data.table
    found = {"rows": data.rows, "columns": list(table.columns), "values": few_values(table)}
    if isinstance(data, Table):
        voice.result({"kind": "table", **found})
    else:
        voice.result({"kind": "images", **found, "image_shape": list(data.images.shape[1:])})


def main(arguments: list[str]) -> int:
    path, name = arguments
    return speak(lambda voice: inspect(path, name, voice))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
