import keras
import numpy as np
import pytest
from closed_forms import ConstantEstimate
from helpers import to_numpy

import keras_indi
from keras_indi.schedules import (
    LinearMixtureTime,
    PowerTime,
    TimeDistribution,
    UniformTime,
)
from keras_indi.schedules import time_distribution as time_distributions

DISTRIBUTIONS = [
    UniformTime(),
    LinearMixtureTime(a=0.0),
    LinearMixtureTime(a=1.0),
    LinearMixtureTime(a=4.0),
    PowerTime(k=2.0),
    PowerTime(k=0.0),
    PowerTime(k=-0.5),
]
each = pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=repr)


@keras.saving.register_keras_serializable(package="tests")
class TriangularTime(TimeDistribution):
    """p(t) = 2 (1 - t), written in a test."""

    def quantile(self, probabilities):
        return 1.0 - keras.ops.sqrt(1.0 - keras.ops.cast(probabilities, "float32"))

    def density(self, times):
        return 2.0 * (1.0 - times)

    @property
    def mean(self):
        return 1.0 / 3.0


def mass_at_one(distribution):
    a = getattr(distribution, "a", 0.0)
    return a / (1.0 + a)


def integrate(function, upper=1.0):
    """Midpoint rule on [0, upper] in t = upper u^4, fine near t = 0."""
    u = (np.arange(20000) + 0.5) / 20000
    values = function((upper * u**4).astype("float32")).astype("float64")
    return float(np.mean(values * 4 * upper * u**3))


def cumulative(distribution, time):
    """P(T <= time) for time < 1 from the density."""
    return integrate(lambda t: to_numpy(distribution.density(t)), time)


@each
def test_density_integrates_to_one_with_the_point_mass(distribution):
    total = cumulative(distribution, 1.0) + mass_at_one(distribution)
    assert total == pytest.approx(1.0, abs=1e-5)


@each
def test_mean_is_that_of_the_density_and_of_the_draws(distribution):
    integral = integrate(lambda t: t * to_numpy(distribution.density(t)))
    assert distribution.mean == pytest.approx(
        integral + mass_at_one(distribution), abs=1e-5
    )
    draws = to_numpy(distribution.sample((40000,), seed=1))
    assert draws.mean() == pytest.approx(
        distribution.mean, abs=4 * draws.std() / np.sqrt(draws.size)
    )


@each
def test_draws_lie_in_the_unit_interval_and_follow_the_distribution(distribution):
    draws = to_numpy(distribution.sample((200, 200), seed=2))
    assert draws.shape == (200, 200) and draws.dtype == np.float32
    assert draws.min() >= 0 and draws.max() <= 1
    # Kolmogorov and Smirnov's distance, at 50 times below 1: P(> 1.95) = 0.1 %.
    points = np.linspace(0.02, 0.99, 50)
    distance = max(
        abs(np.mean(draws <= point) - cumulative(distribution, point))
        for point in points
    )
    assert distance < 1.95 / np.sqrt(draws.size)


@each
def test_quantile_is_the_inverse_of_the_distribution_function(distribution):
    probabilities = np.linspace(0.01, 0.99, 25).astype("float32")
    times = to_numpy(distribution.quantile(probabilities))
    below = 1.0 - mass_at_one(distribution)
    for probability, time in zip(probabilities, times):
        if probability < below:
            assert cumulative(distribution, time) == pytest.approx(
                probability, abs=1e-4
            )
        else:
            assert time == 1.0
    ends = to_numpy(distribution.quantile(np.array([0.0, 1.0], "float32")))
    np.testing.assert_array_equal(ends, [0.0, 1.0])


@pytest.mark.parametrize("a", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("stratified", [False, True])
def test_linear_mixture_puts_its_mass_exactly_at_one(a, stratified):
    draws = to_numpy(LinearMixtureTime(a, stratified).sample((20000,), seed=3))
    mass = a / (1 + a)
    error = np.sqrt(mass * (1 - mass) / draws.size)
    assert np.mean(draws == 1.0) == pytest.approx(mass, abs=4 * error)
    # The rest is uniform on [0, 1).
    rest = draws[draws < 1.0]
    assert rest.mean() == pytest.approx(0.5, abs=4 * 0.29 / np.sqrt(rest.size))


@pytest.mark.parametrize(
    "distribution",
    [UniformTime(True), PowerTime(2.0, True), TriangularTime(True)],
    ids=repr,
)
@pytest.mark.parametrize("count", [1, 7, 64])
def test_stratified_draws_fall_one_in_each_stratum(distribution, count):
    draws = np.sort(to_numpy(distribution.sample((count,), seed=4)))
    edges = np.arange(count + 1, dtype="float32") / count
    edges = to_numpy(distribution.quantile(edges))
    assert np.all(draws >= edges[:-1] - 1e-6)
    assert np.all(draws <= edges[1:] + 1e-6)


@pytest.mark.parametrize("distribution", [UniformTime(True), PowerTime(1.0, True)])
@pytest.mark.parametrize("kind", ["generator", "ints"])
def test_each_stratified_draw_keeps_the_distribution(distribution, kind):
    seeds = range(400)
    if kind == "generator":
        seeds = [keras.random.SeedGenerator(5)] * 400
    batches = np.stack([to_numpy(distribution.sample((4,), seed=s)) for s in seeds])
    points = np.linspace(0.05, 0.95, 19)
    expected = [cumulative(distribution, point) for point in points]
    for position in range(4):
        draws = batches[:, position, None]
        distance = np.max(np.abs(np.mean(draws <= points, axis=0) - expected))
        assert distance < 1.95 / np.sqrt(len(batches))
    # The order is shuffled: positions do not follow each other.
    assert 0.2 < np.mean(batches[:, 0] < batches[:, 1]) < 0.8


@pytest.mark.parametrize("stratified", [False, True])
def test_draws_follow_from_the_seed(stratified):
    distribution = UniformTime(stratified)
    first, second = (to_numpy(distribution.sample((16,), seed=seed)) for seed in (6, 6))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, to_numpy(distribution.sample((16,), seed=7)))
    generators = [keras.random.SeedGenerator(8) for _ in range(2)]
    runs = [
        [to_numpy(distribution.sample((16,), seed=generator)) for _ in range(2)]
        for generator in generators
    ]
    np.testing.assert_array_equal(*runs)
    assert not np.array_equal(runs[0][0], runs[0][1])


@each
def test_grid_stands_for_the_distribution(distribution):
    grid = to_numpy(distribution.grid(1000))
    assert grid.shape == (1000,)
    assert grid.mean() == pytest.approx(distribution.mean, abs=2e-3)
    middles = (np.arange(1000) + 0.5) / 1000
    strata = to_numpy(distribution.quantile(middles.astype("float32")))
    np.testing.assert_allclose(np.sort(grid), strata, atol=0.05)


def test_grid_is_a_series_whose_every_run_is_even():
    whole = to_numpy(UniformTime().grid(60000))
    assert whole[0] == pytest.approx(0.5)
    for first, size in [(0, 7), (123, 64), (28650, 64), (50000, 1000)]:
        run = to_numpy(UniformTime().grid(size, first))
        np.testing.assert_array_equal(run, whole[first : first + size])
        middles = (np.arange(size) + 0.5) / size
        assert np.abs(np.sort(run) - middles).max() < 2 / size


@pytest.mark.parametrize(
    "build, received",
    [
        (lambda: LinearMixtureTime(a=-0.1), "a=-0.1"),
        (lambda: LinearMixtureTime(a=float("nan")), "a=nan"),
        (lambda: PowerTime(k=-1), "k=-1"),
        (lambda: PowerTime(k=float("nan")), "k=nan"),
        (lambda: time_distributions.get("normal"), "time_distribution='normal'"),
        (lambda: time_distributions.get(0.5), "time_distribution=0.5"),
    ],
)
def test_bad_arguments(build, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        build()


@pytest.mark.parametrize(
    "quantile, problem",
    [
        (lambda p: 2 * p, "from 0 to 2"),
        (lambda p: -p, "from -1 to"),
        (lambda p: p / (1 - p), "from 0 to inf"),
        (lambda p: p * float("nan"), "from nan to nan"),
        (lambda p: p[:3], r"shape \(3,\)"),
    ],
)
def test_times_out_of_the_path_are_refused(quantile, problem):
    class Own(TimeDistribution):
        def quantile(self, probabilities):
            return quantile(probabilities)

    with pytest.raises(ValueError, match=f"Received: time_distribution=.*{problem}"):
        time_distributions.get(Own())


def test_a_distribution_of_ones_own_works_and_is_saved_with_the_model(tmp_path):
    draws = to_numpy(TriangularTime().sample((20000,), seed=9))
    assert draws.mean() == pytest.approx(1 / 3, abs=0.01)
    model = keras_indi.models.InDI(
        ConstantEstimate(), time_distribution=TriangularTime(stratified=True)
    )
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.time_distribution == TriangularTime(stratified=True)
    assert again.time_distribution != TriangularTime()
    named = keras_indi.models.InDI(ConstantEstimate(), "tests>TriangularTime")
    assert named.time_distribution == TriangularTime()
