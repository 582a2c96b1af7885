"""Measuring and looking at results."""

from keras_indi.evaluation.evaluate import evaluate as evaluate
from keras_indi.evaluation.pairs import as_pairs as as_pairs
from keras_indi.evaluation.protocol import Protocol as Protocol
from keras_indi.evaluation.recommend import Recommendation as Recommendation
from keras_indi.evaluation.recommend import recommend as recommend
from keras_indi.evaluation.table import Table as Table
from keras_indi.evaluation.trade_off import trade_off as trade_off
from keras_indi.evaluation.uncertainty import Uncertainty as Uncertainty
from keras_indi.evaluation.uncertainty import uncertainty as uncertainty
