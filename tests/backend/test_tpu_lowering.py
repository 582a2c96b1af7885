"""What a TPU is given: JAX lowers it for one, without one.

No float64, which a TPU has not, and no callback to the host, which would hold it up.
That it compiles and runs there has not been tried.
"""

import keras
import numpy as np
import pytest
from helpers import shared_folder, tiny_unet

import keras_indi
from keras_indi import metrics, samplers
from keras_indi.models import AveragedAdam

if keras.config.backend() != "jax":
    pytest.skip("JAX lowers for other devices", allow_module_level=True)

import jax
from jax import numpy as jnp

IMAGES = jnp.full((4, 16, 16, 3), 100.0)
SCALARS = tuple(jnp.float32(value) for value in (0.5, 0.25))


def check_lowered(function, *args):
    text = jax.jit(function).trace(*args).lower(lowering_platforms=("tpu",)).as_text()
    assert "f64" not in text
    assert "callback" not in text
    return text


def model(kind=keras_indi.InDI, **arguments):
    made = kind(tiny_unet(condition_on_degraded=True, **arguments), seed=0)
    made.compile(AveragedAdam(1e-3))
    made.optimizer.build(made.trainable_variables)
    return made


def estimate(images, times):
    return MODEL.estimate(images, times, IMAGES)


MODEL = model()


@pytest.mark.parametrize("kind", [keras_indi.InDI, keras_indi.ConditionalDDPM])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_steps_of_training_and_evaluation(kind, dtype):
    made = model(kind, dtype=dtype)
    data = (IMAGES, IMAGES)
    made._symbolic_build(data_batch=data)
    variables = (
        made.trainable_variables,
        made.non_trainable_variables,
        made.optimizer.variables,
        made.metrics_variables,
    )
    state = tuple([variable.value for variable in group] for group in variables)
    text = check_lowered(made.train_step, state, data)
    assert "stablehlo.convolution" in text
    state = state[0], state[1], state[3]
    assert "stablehlo.convolution" in check_lowered(made.test_step, state, data)


@pytest.mark.parametrize("name", samplers.BUILTIN)
@pytest.mark.parametrize("rule", ["step", "last_step"])
def test_rules_of_samplers(name, rule):
    sampler = samplers.get(name)

    def move(images, time, next_time):
        memory = sampler.initial_memory(images)
        images, memory = sampler.step(estimate, images, time, next_time, memory)
        return getattr(sampler, rule)(estimate, images, time, next_time, memory)

    assert "stablehlo.convolution" in check_lowered(move, IMAGES, *SCALARS)


@pytest.mark.parametrize("make", [metrics.PSNR, metrics.SSIM])
def test_metrics(make):
    metric = make()
    values = [variable.value for variable in metric.variables]
    check_lowered(metric.stateless_update_state, values, IMAGES, 0.5 * IMAGES)
    check_lowered(metric.stateless_result, values)
    assert np.isfinite(metric(IMAGES, 0.5 * IMAGES))


@pytest.mark.parametrize("network", ["alex", "squeeze"])
def test_lpips(network):
    path = shared_folder("weights", f"lpips_{network}_v0.1.npz")
    metric = metrics.LPIPS(network, path)
    variables = metric.frozen_variables()

    def scores(weights, clean, restored):  # as `per_image` compiles it
        with keras.StatelessScope(state_mapping=zip(variables, weights)):
            return metric.compute(clean, restored)

    weights = [variable.value for variable in variables]
    images = jnp.full((2, 40, 32, 3), 100.0)
    text = check_lowered(scores, weights, images, 0.5 * images)
    assert "stablehlo.convolution" in text
