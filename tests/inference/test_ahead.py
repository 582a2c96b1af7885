"""Noise is drawn while the network works, and is the noise of a plain loop."""

import threading

import keras
import numpy as np
import pytest
from closed_forms import ConstantEstimate

from keras_indi.inference.ahead import made_ahead
from keras_indi.inference.progress import Progress
from keras_indi.inference.trajectory import Trajectory
from keras_indi.models import InDI
from keras_indi.samplers import InDISampler
from keras_indi.schedules import BrownianNoise, UniformGrid

LONG = 60.0  # seconds after which something that should happen will not


@pytest.mark.backend_free
def test_each_is_made_while_the_one_before_is_used():
    started = [threading.Event() for _ in range(5)]
    made_in = []

    def maker(index):
        def make():
            made_in.append(threading.current_thread())
            started[index].set()
            return index

        return make

    found = []
    for made in made_ahead(maker(index) for index in range(5)):
        found.append(made)
        assert made == 4 or started[made + 1].wait(LONG)
        assert made + 2 >= 5 or not started[made + 2].is_set()  # nor farther ahead
    assert found == [0, 1, 2, 3, 4]
    assert len(set(made_in)) == 1 and made_in[0] is not threading.current_thread()
    assert list(made_ahead([])) == []


@pytest.mark.backend_free
def test_an_error_arrives_where_its_value_is_wanted():
    made = made_ahead([lambda: 1, lambda: 1 / 0])
    assert next(made) == 1
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_a_step_finds_the_next_noise_on_its_way():
    draws = [threading.Event() for _ in range(4)]
    noise = np.random.default_rng(0).standard_normal((4, 1, 2, 2, 1), dtype="float32")
    drawn, steps = iter(range(4)), iter(range(4))

    def draw_noise():
        index = next(drawn)
        draws[index].set()
        return noise[index]

    def step(images, times, next_times, time_shift, memory, degraded):
        # The network's call: the noise after it is drawn meanwhile.
        index = next(steps)
        assert index == 3 or draws[index + 1].wait(LONG)
        return images * next_times / times, memory

    sampler, schedule, times = InDISampler(), BrownianNoise(1.0), UniformGrid()(4)
    trajectory = Trajectory.from_degraded(sampler, times, schedule, 1.0, 1.0)
    assert trajectory.num_draws == 4  # the last step, to t = 0, adds none
    degraded = np.ones((1, 2, 2, 1), "float32")
    states = trajectory.run(
        (step, step), degraded, None, draw_noise, Progress(4, 0), keep_states=True
    )
    images = degraded + noise[0]
    np.testing.assert_array_equal(states[0], images)
    for state, (t, s, scale), fresh in zip(states[1:], trajectory.moves, noise[1:]):
        images = images * np.float32(s) / np.float32(t) + np.float32(scale) * fresh
        np.testing.assert_allclose(state, images, rtol=1e-5)


@pytest.mark.parametrize("tile_size", [None, 48])
def test_draws_are_those_of_the_images_own_generator(tile_size):
    image = np.full((200, 50, 3), 100.0, "float32")
    grey = ConstantEstimate()  # F = 0 in [-1, 1]
    model = InDI(grey, noise_schedule=BrownianNoise(0.1), receptive_field=1)
    states = model.restore(
        image, num_steps=3, seed=7, tile_size=tile_size, return_trajectory=True
    )
    generator = np.random.default_rng((7, 0, 0, 1))
    fresh = [generator.standard_normal(image.shape, "float32") for _ in range(3)]
    trajectory = model.trajectory(InDISampler(), UniformGrid()(3), 1.0)
    expected = image + trajectory.start_scale * fresh[0]
    np.testing.assert_allclose(states[0], expected, atol=1e-4)
    for state, (t, s, scale), noise in zip(states[1:], trajectory.moves, fresh[1:]):
        expected = (1 - s / t) * 127.5 + s / t * expected + scale * noise
        np.testing.assert_allclose(state, expected, atol=1e-3)


class Computed:
    """An array of one's own, which tells when it is waited for."""

    def __init__(self, index, events):
        self.index, self.events = index, events
        self.shape, self.dtype = (1, 2, 2, 1), "float32"

    def block_until_ready(self):
        self.events.append(f"state {self.index}")
        return self

    def __array__(self, dtype=None, copy=None):
        return np.zeros(self.shape, "float32")


@pytest.mark.skipif(keras.config.backend() != "jax", reason="JAX alone runs ahead")
def test_two_steps_at_most_are_under_way():
    events = []

    def step(images, times, next_times, time_shift, memory, degraded):
        index = sum(event.startswith("step") for event in events) + 1
        events.append(f"step {index}")
        return Computed(index, events), memory

    trajectory = Trajectory(InDISampler(), UniformGrid()(3), 0.0, [0.0] * 3)
    trajectory.run(
        (step, step), np.ones((1, 2, 2, 1)), None, None, Progress(3, 0), False
    )
    assert events == ["step 1", "step 2", "state 1", "step 3", "state 2"]


class Unwritable:
    """An `out` that takes nothing."""

    def __init__(self, image):
        self.shape, self.dtype = image.shape, image.dtype

    def __setitem__(self, index, values):
        raise OSError("no room")


@pytest.mark.parametrize("tile_size", [None, 16])
def test_what_breaks_off_leaves_no_thread(tile_size):
    image = np.full((40, 20, 3), 100.0, "float32")
    schedule = BrownianNoise(0.1)
    model = InDI(ConstantEstimate(), noise_schedule=schedule, receptive_field=1)
    # What is caught has a hold on all frames, and on what they have not used up.
    with pytest.raises(OSError, match="no room") as caught:
        model.restore(image, 3, tile_size=tile_size, out=Unwritable(image))
    named = [thread.name for thread in threading.enumerate()]
    assert not [name for name in named if name.startswith("keras_indi_ahead")]
    assert caught.tb is not None


@pytest.mark.parametrize("tile_size", [None, 16])
def test_an_interrupt_in_a_step_leaves_no_thread(tile_size):
    class Interrupted(ConstantEstimate):
        def call(self, inputs):
            raise KeyboardInterrupt

    image = np.full((40, 20, 3), 100.0, "float32")
    model = InDI(Interrupted(), noise_schedule=BrownianNoise(0.1), receptive_field=1)
    with pytest.raises(KeyboardInterrupt) as caught:
        model.restore(image, 3, tile_size=tile_size)
    named = [thread.name for thread in threading.enumerate()]
    assert not [name for name in named if name.startswith("keras_indi_ahead")]
    assert caught.tb is not None
