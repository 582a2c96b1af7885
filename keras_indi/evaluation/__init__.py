"""Evaluation: scores, plots and uncertainty maps."""

from keras_indi.evaluation.named_pairs import as_pairs as as_pairs
from keras_indi.evaluation.protocol import Protocol as Protocol
from keras_indi.evaluation.recommendation import Recommendation as Recommendation
from keras_indi.evaluation.recommendation import recommend as recommend
from keras_indi.evaluation.scoring import evaluate as evaluate
from keras_indi.evaluation.table import Table as Table
from keras_indi.evaluation.trade_off_curve import trade_off as trade_off
from keras_indi.evaluation.uncertainty_maps import Uncertainty as Uncertainty
from keras_indi.evaluation.uncertainty_maps import uncertainty as uncertainty
