"""Learning classifiers from tables and pictures."""

from evenhand.classifiers.training.leakage import leakage
from evenhand.classifiers.training.options import TrainingOptions
from evenhand.classifiers.training.pictures import train_images
from evenhand.classifiers.training.record import CellCurve, EpochScore, TrainingRecord
from evenhand.classifiers.training.seen import seen_rows
from evenhand.classifiers.training.tables import TABLE_KINDS, train_table
from evenhand.classifiers.training.trained import Progress, Trained

__all__ = [
    "TABLE_KINDS",
    "CellCurve",
    "EpochScore",
    "Progress",
    "Trained",
    "TrainingOptions",
    "TrainingRecord",
    "leakage",
    "seen_rows",
    "train_images",
    "train_table",
]
