"""A trainer's record as plain counts for the perception audit, which does not know the room of classifiers."""

from typing import TYPE_CHECKING

from evenhand.auditors.perception.records import LearnedCell, LearningRecord

if TYPE_CHECKING:
    from evenhand.classifiers.training.record import TrainingRecord


def learning_record(record: "TrainingRecord | None") -> LearningRecord | None:
    """The record's counts by class, group and epoch; None where there is no record, or one of a single step."""
    if record is None or not record.cells:
        return None
    best = next(index for index, score in enumerate(record.epochs) if score.epoch == record.best_epoch)
    return LearningRecord(
        epochs=tuple(score.epoch for score in record.epochs),
        best=best,
        rows=record.valid_rows,
        right=sum(cell.right[best] for cell in record.of_part("valid", None)),
        split=record.split,
        cells=tuple(
            LearnedCell(
                part=cell.part,
                label=cell.label,
                attribute=cell.attribute,
                group=cell.group,
                n=cell.n,
                right=cell.right,
                loss=cell.loss,
            )
            for cell in record.cells
        ),
    )
