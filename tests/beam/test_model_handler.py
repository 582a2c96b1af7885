"""A model in `RunInference`: arrays to arrays."""

import numpy as np
import pytest

beam = pytest.importorskip("apache_beam", reason="needs Apache Beam: the extra `beam`")

from apache_beam.ml.inference.base import KeyedModelHandler, RunInference  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402
from apache_beam.testing.util import assert_that, equal_to  # noqa: E402
from helpers import smooth_images, tiny_unet  # noqa: E402

from keras_indi.beam import ModelHandler  # noqa: E402
from keras_indi.models import InDI, load_restorer  # noqa: E402

IMAGES = {
    f"{height}x{width}": smooth_images(1, height, width)[0].astype(dtype)
    for height, width, dtype in ((13, 10, "uint8"), (12, 16, "float32"), (5, 7, "u1"))
}


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    InDI(tiny_unet(gain=0.3), noise_schedule=0.02, seed=0).save(path)
    return str(path)


def test_arrays_to_arrays(preset):
    handler = ModelHandler(preset, seed=3, num_steps=2, dtype="float32")
    model = handler.load_model()
    expected = [
        (name, *described(np.asarray(handler.run_inference([image], model))[0]))
        for name, image in IMAGES.items()
    ]
    with beam.Pipeline("FnApiRunner", PipelineOptions([])) as pipeline:
        restored = (
            pipeline
            | beam.Create(list(IMAGES.items()))
            | RunInference(KeyedModelHandler(handler))
            | beam.MapTuple(lambda name, image: (name, *described(image)))
        )
        assert_that(restored, equal_to(expected))


def described(image):
    return str(image.dtype), image.shape, image.tobytes()


def test_the_restoration_is_the_models_and_its_noise_the_images(preset):
    handler = ModelHandler(preset, num_steps=2, dtype="float32")
    model = handler.load_model()
    image = IMAGES["12x16"]
    other = image[::-1].copy()
    together = handler.run_inference([image, image, other], model)
    np.testing.assert_array_equal(together[0], together[1])
    alone = handler.run_inference([other], model)
    np.testing.assert_array_equal(together[2], alone[0])
    assert np.abs(together[2][::-1] - together[0]).max() > 1
    # Noise apart, it is what the model restores.
    plain = load_restorer(preset, "float32")
    expected = [plain.restore(image, 2, seed=seed) for seed in range(16)]
    np.testing.assert_allclose(together[0], np.mean(expected, 0), atol=12)
    other_seed = ModelHandler(preset, seed=1, num_steps=2, dtype="float32")
    assert np.any(other_seed.run_inference([image], model)[0] != together[0])
    given = handler.run_inference([image], model, {"num_steps": 1})
    assert np.any(given[0] != together[0])


@pytest.mark.parametrize(
    "options, received",
    [
        ({"preset": "no_such_preset"}, "no_such_preset"),
        ({"seed": -1}, "seed=-1"),
        ({"dtype": "float64"}, "dtype='float64'"),
        ({"max_memory": 0}, "max_memory=0"),
        ({"max_batch_size": 0}, "max_batch_size=0"),
        ({"num_steps": 0}, "num_steps=0"),
        ({"num_samples": 0}, "num_samples=0"),
        ({"sampler": "euler"}, "sampler='euler'"),
        ({"scale": 0}, "scale=0"),
        ({"steps": 2}, "steps"),
    ],
)
def test_bad_arguments_are_refused(preset, options, received):
    with pytest.raises(ValueError, match="Received: .*" + received):
        ModelHandler(**{"preset": preset, **options})
