"""Combine the mean and scatter of features over workers."""

from collections.abc import Iterable

import numpy as np

from keras_indi.beam.apache import beam
from keras_indi.metrics.frechet_distance import (
    NO_IMAGES,
    Moments,
    joined_moments,
    moments,
)

# Number of features that are added at once, as in `evaluate`.
COUNTED_TOGETHER = 128
Accumulator = tuple[Moments, list[np.ndarray]]


class CombinedMoments(beam.CombineFn):
    """Combine feature vectors to their count, mean and scatter, in float64."""

    def create_accumulator(self) -> Accumulator:
        return NO_IMAGES, []

    def add_input(self, accumulator: Accumulator, features: np.ndarray) -> Accumulator:
        counted, waiting = accumulator
        waiting = [*waiting, features]
        if len(waiting) < COUNTED_TOGETHER:
            return counted, waiting
        return _counted(counted, waiting), []

    def merge_accumulators(self, accumulators: Iterable[Accumulator]) -> Accumulator:
        merged = NO_IMAGES
        for accumulator in accumulators:
            merged = joined_moments(merged, _counted(*accumulator))
        return merged, []

    def compact(self, accumulator: Accumulator) -> Accumulator:
        return _counted(*accumulator), []

    def extract_output(self, accumulator: Accumulator) -> Moments:
        return _counted(*accumulator)


def _counted(counted: Moments, waiting: list[np.ndarray]) -> Moments:
    if not waiting:
        return counted
    return joined_moments(counted, moments(np.stack(waiting)))
