"""The training job: gathers the data, trains in a child process, keeps the model. The training itself is in `train`."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evenhand.service.datasets.store import StoredFile, get_dataset
from evenhand.service.errors import ModelNotFound
from evenhand.service.jobs.context import STOPPING, JobContext, persist
from evenhand.service.jobs.process import Interrupted
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.models.store import get_model, keep_trained

CHILD = "evenhand.service.models.train"


def run_training_job(context: JobContext) -> None:
    """Train the model of this job. Running it twice keeps one model."""
    place = context.workplace
    with place.database.reading() as session:
        model = get_model(session, context.job.id)
        if model.training is None:
            raise ModelNotFound(model.id)
        request = TrainingRequest.model_validate(model.training)
        source = request.dataset
        if model.dataset_id is not None:
            dataset = get_dataset(session, model.dataset_id)
            source = str(context.fetch(dataset.sha256, dataset.filename, into="data"))
    checkpoint = place.config.work / f"{context.job.id}.checkpoint"  # outside the job's folder, which starts empty
    order = {"request": model.training, "source": source, "checkpoint": str(checkpoint)}
    order_path, output = context.folder / "order.json", context.folder / "trained"
    output.mkdir()
    order_path.write_text(json.dumps(order))
    with _kept_until_over(checkpoint):
        description = context.run_child(CHILD, str(order_path), str(output))
    path = output / description.pop("filename")
    content = path.read_bytes()
    file = StoredFile(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
    place.artefacts.put_file(path, file.sha256)

    def keep() -> None:
        with place.database.writing() as session:
            keep_trained(session, model.id, filename=path.name, file=file, description=description)

    persist(keep)


@contextmanager
def _kept_until_over(checkpoint: Path) -> Iterator[None]:
    """The last epoch stays where the worker dies or stops, and goes where the training failed or was cancelled."""
    try:
        yield
    except BaseException as error:
        if not (isinstance(error, Interrupted) and error.reason == STOPPING):
            checkpoint.unlink(missing_ok=True)
        raise
    checkpoint.unlink(missing_ok=True)
