"""AveragedMuon: orthogonal updates of kernels, Adam's of the rest, averages of both."""

import keras
import numpy as np
import pytest
from helpers import to_numpy
from keras import ops

from keras_indi.models import AveragedAdam, AveragedMuon
from keras_indi.models.averaged_muon import orthogonalized


def one_update(optimizer, variable, gradient):
    optimizer.build([variable])
    before = to_numpy(variable)
    optimizer.apply([ops.convert_to_tensor(gradient, "float32")], [variable])
    return to_numpy(variable) - before


@pytest.mark.parametrize("shape", [(6, 6), (36, 4), (4, 36)], ids=str)
def test_orthogonalized_keeps_the_directions_and_evens_the_sizes(shape):
    matrix = np.random.default_rng(0).standard_normal(shape).astype("float32")
    left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
    sizes = np.linspace(0.3, 5.0, len(sizes))  # not small, as no iteration lifts those
    found = to_numpy(orthogonalized(ops.convert_to_tensor((left * sizes) @ right)))
    along = left.T @ found @ right.T
    assert 0.6 < np.diag(along).min() and np.diag(along).max() < 1.3
    off_diagonal = along - np.diag(np.diag(along))
    assert np.abs(off_diagonal).max() < 0.05  # bfloat16
    np.testing.assert_array_equal(to_numpy(orthogonalized(ops.zeros(shape))), 0)


def test_a_kernel_moves_by_an_orthogonal_matrix_of_the_size_of_adams_steps():
    rng = np.random.default_rng(1)
    gradient = 1e-3 * rng.standard_normal((3, 3, 8, 16)).astype("float32")
    kernel = keras.Variable(np.zeros((3, 3, 8, 16), "float32"))
    change = one_update(AveragedMuon(0.01), kernel, gradient).reshape(72, 16)
    sizes = np.linalg.svd(change / -0.01, compute_uv=False)
    scale = 0.2 * np.sqrt(72)
    assert 0.6 * scale < sizes.min() and sizes.max() < 1.3 * scale
    # Of the same sign as the gradient; its root mean square is 0.2, as Adam's.
    assert np.sum(change * gradient.reshape(72, 16)) < 0
    assert 0.1 < np.sqrt(np.mean(np.square(change / 0.01))) < 0.3


def test_other_weights_move_as_by_adam():
    rng = np.random.default_rng(2)
    gradient = rng.standard_normal((5, 7)).astype("float32")
    values = rng.standard_normal((5, 7)).astype("float32")
    muon = one_update(AveragedMuon(0.01), keras.Variable(values), gradient)
    adam = one_update(AveragedAdam(0.01), keras.Variable(values), gradient)
    np.testing.assert_allclose(muon, adam, atol=1e-7)


def test_momentum_is_nesterovs():
    shape, momentum = (1, 1, 2, 2), 0.5
    first = np.array([[1.0, 0.0], [0.0, 1.0]], "float32").reshape(shape)
    second = np.array([[0.0, 1.0], [-1.0, 0.0]], "float32").reshape(shape)
    kernel = keras.Variable(np.zeros(shape, "float32"))
    optimizer = AveragedMuon(1.0, momentum=momentum)
    one_update(optimizer, kernel, first)
    before = to_numpy(kernel)
    optimizer.apply([ops.convert_to_tensor(second)], [kernel])
    change = (to_numpy(kernel) - before).reshape(2, 2)
    # g2 + m (m g1 + g2) = 0.25 g1 + 1.5 g2, a multiple of an orthogonal matrix.
    expected = 0.25 * first.reshape(2, 2) + 1.5 * second.reshape(2, 2)
    cosine = -np.sum(change * expected)
    cosine /= np.linalg.norm(change) * np.linalg.norm(expected)
    assert cosine > 0.999


def test_averages_warm_up_as_of_averaged_adam():
    kernel = keras.Variable(np.zeros((1, 1, 2, 2), "float32"))
    optimizer = AveragedMuon(0.1)
    optimizer.build([kernel])
    gradient = ops.convert_to_tensor(np.eye(2, dtype="float32").reshape(1, 1, 2, 2))
    values = []
    for _ in range(20):
        optimizer.apply([gradient], [kernel])
        values.append(to_numpy(kernel))
    average = values[0]
    for step, value in enumerate(values[1:], start=1):
        momentum = (1 + step) / (10 + step)
        average = momentum * average + (1 - momentum) * value
    optimizer.finalize_variable_values([kernel])
    np.testing.assert_allclose(to_numpy(kernel), average, rtol=1e-5)
    assert np.abs(values[-1] - average).max() > 0.05


def test_it_learns_and_survives_its_config(tmp_path):
    rng = np.random.default_rng(3)
    images = rng.standard_normal((8, 8, 8, 3)).astype("float32")
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 3)])
    teacher = keras.layers.Conv2D(3, 3)
    targets = to_numpy(teacher(images))
    model.compile(AveragedMuon(0.05, momentum=0.9), "mse", jit_compile=False)
    losses = model.fit(images, targets, epochs=60, verbose=0).history["loss"]
    assert losses[-1] < 0.05 * losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.optimizer.get_config() == model.optimizer.get_config()
    model.fit(images, targets, epochs=1, verbose=0)
    again.fit(images, targets, epochs=1, verbose=0)
    for one, other in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("momentum", [-0.1, 1.0])
def test_bad_momentum(momentum):
    with pytest.raises(ValueError, match="Received: momentum="):
        AveragedMuon(momentum=momentum)
