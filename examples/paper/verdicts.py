"""What curves tell of the paper's claims."""

import dataclasses

import harness
import numpy as np

from keras_indi.evaluation.protocol import higher_is_better

RESAMPLES = 1000


@dataclasses.dataclass
class Curves:
    """The scores of an experiment.

    Args:
        rows: List of dicts: `line`, `variant`, `held_out`, `training_seed`, and the
            columns of `evaluation.trade_off`, `evaluations` among them. Of one
            training, also `photographs`: dict of metrics to arrays with one score a
            photograph, in the order of names.
        extra: Dict of what an experiment measures besides.
        tools: Dict of names of classical tools to their scores, by metric.
    """

    rows: list
    extra: dict = dataclasses.field(default_factory=dict)
    tools: dict = dataclasses.field(default_factory=dict)

    def values(self, metric, line, calls, held_out=None):
        """A score, the mean over sets and noise seeds, that varies by chance.

        Returns:
            Array, by training seed. Of one training, by resample of the photographs:
            the same photographs for all lines.
        """
        chosen = [
            row
            for row in self.rows
            if row["line"] == line
            and row["evaluations"] == calls
            and held_out in (None, row["held_out"])
        ]
        seeds = sorted({row["training_seed"] for row in chosen})
        if len(seeds) == 1 and all(
            metric in row.get("photographs", ()) for row in chosen
        ):
            return np.mean(
                [resampled(row["photographs"][metric]) for row in chosen], axis=0
            )
        return np.array(
            [
                np.mean([row[metric] for row in chosen if row["training_seed"] == seed])
                for seed in seeds
            ]
        )

    @property
    def chance(self):
        """What `values` vary over."""
        seeds = {row["training_seed"] for row in self.rows}
        return "training seeds" if len(seeds) > 1 else "photographs"

    def over(self, gap, spread):
        """A difference and its deviation in words."""
        if not np.isfinite(spread):
            return f"(difference {gap:.2g}, of one training)"
        return f"(difference {gap:.2g}, deviation over {self.chance} {spread:.2g})"

    def calls(self, line):
        """The numbers of network calls at which a line was measured, rising."""
        found = {row["evaluations"] for row in self.rows if row["line"] == line}
        return sorted(found)

    def best(self, metric, line, most=None):
        """The number of calls, of `most` at most, whose mean score is best."""
        among = [calls for calls in self.calls(line) if most is None or calls <= most]
        return min(
            among, key=lambda calls: -goodness(metric, self.values(metric, line, calls))
        )

    def at_best(self, metric, line, most=None):
        """`values` at `best`."""
        return self.values(metric, line, self.best(metric, line, most))


def resampled(scores):
    """Bootstrap: means of photographs drawn anew, around the mean of all."""
    draws = np.random.default_rng(0).integers(0, len(scores), (RESAMPLES, len(scores)))
    means = scores[draws].mean(axis=1)
    return means - means.mean() + scores.mean()


def goodness(metric, values):
    """The mean score, with the sign that makes more better."""
    return float(np.mean(values)) * (1 if higher_is_better(metric) else -1)


def perceptual(config):
    """The metrics of what an image looks like, in the order of the configuration."""
    return [name for name in config.metrics if not higher_is_better(name)]


def difference(metric, first, second):
    """By how much the first is better, and the deviation of that by chance."""
    return mean_and_deviation(improvement(metric, first, second))


def improvement(metric, first, second):
    """By how much the first is better, for each of their `values`."""
    return first - second if higher_is_better(metric) else second - first


def mean_and_deviation(gaps):
    """Of `values`; the deviation of a single one is infinite."""
    deviation = float(np.std(gaps, ddof=1)) if len(gaps) > 1 else float("inf")
    return float(np.mean(gaps)), deviation


def told(values, metric):
    return f"{values.mean():.2f} dB" if metric == "psnr" else f"{values.mean():.4g}"


def counted(calls):
    return "one call" if calls == 1 else f"{calls} calls"


def difference_claim(curves, figure, text, metric, first, second, found, within=0.0):
    """The first is better, or less than `within` worse.

    Args:
        curves: `Curves`.
        figure: File name of the picture.
        text: What is claimed.
        metric: Name of a metric.
        first: `Curves.values`.
        second: Likewise.
        found: The scores in words, which the difference is added to.
        within: Float.
    """
    gap, spread = difference(metric, first, second)
    return harness.Claim(
        text,
        harness.judged(gap + within > 0, gap + within, spread),
        f"{found} {curves.over(gap, spread)}.",
        figure,
        metric,
        gap + within,
    )


def one_call_claim(curves, figure, line):
    """One step has the best PSNR."""
    one = curves.values("psnr", line, 1)
    rivals = [
        (*difference("psnr", one, curves.values("psnr", line, calls)), calls)
        for calls in curves.calls(line)
        if calls > 1
    ]
    gap, spread, calls = min(rivals)
    next_best = curves.values("psnr", line, calls)
    return harness.Claim(
        f"One step has the best PSNR ({line}).",
        harness.judged(gap > 0, gap, spread),
        f"{told(one, 'psnr')} in one call, {told(next_best, 'psnr')} in {calls}, the "
        f"next best {curves.over(gap, spread)}.",
        figure,
        "psnr",
        gap,
    )


def more_calls_claim(curves, figure, line, metric):
    """More steps look more natural, up to a point."""
    text = f"More steps are better in {metric}, up to a point ({line})."
    best, first = curves.best(metric, line), curves.values(metric, line, 1)
    if best == 1:
        found = f"Best in one call, {told(first, metric)}."
        return harness.Claim(text, harness.DOES_NOT_SHOW, found, figure, metric, 0.0)
    values = curves.values(metric, line, best)
    end = ", the most that were measured" if best == curves.calls(line)[-1] else ""
    found = (
        f"Best in {counted(best)}{end}: {told(values, metric)}, against "
        f"{told(first, metric)} in one"
    )
    return difference_claim(curves, figure, text, metric, values, first, found)


def trade_off_claims(config, curves, figure, line):
    """The two sides of the trade-off between distortion and perception."""
    claims = [one_call_claim(curves, figure, line)] if "psnr" in config.metrics else []
    claims += [
        more_calls_claim(curves, figure, line, metric) for metric in perceptual(config)
    ]
    return claims


def comparison_claim(curves, figure, text, better, worse, metric, calls=None):
    """Some lines are better than others, each at its best or all at equal calls.

    Args:
        curves: `Curves`.
        figure: File name of the picture.
        text: What is claimed.
        better: Name of a line, or a list of names: the mean over them.
        worse: Likewise.
        metric: Name of a metric.
        calls: Int, compare at this number of calls. Defaults to the best of each.
    """
    means, stories = [], []
    for lines in (better, worse):
        found = {}
        for line in [lines] if isinstance(lines, str) else lines:
            at = curves.best(metric, line) if calls is None else calls
            values = curves.values(metric, line, at)
            found[f"{line} {told(values, metric)} in {counted(at)}"] = values
        means.append(np.mean(list(found.values()), axis=0))
        stories.append(", ".join(found))
    found = f"{metric}: {stories[0]}; against {stories[1]}"
    return difference_claim(curves, figure, text, metric, *means, found)
