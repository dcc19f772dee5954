"""Learning classifiers from tables and pictures."""

from evenhand.classifiers.training.pictures import train_images
from evenhand.classifiers.training.record import EpochScore, TrainingRecord
from evenhand.classifiers.training.tables import TABLE_KINDS, train_table
from evenhand.classifiers.training.trained import Progress, Trained

__all__ = ["TABLE_KINDS", "EpochScore", "Progress", "Trained", "TrainingRecord", "train_images", "train_table"]
