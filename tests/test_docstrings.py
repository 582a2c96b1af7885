"""Every public class has an example, and the examples run."""

import doctest
import importlib
import inspect
import pkgutil
import textwrap

import keras
import numpy as np
import pytest
from helpers import smooth_images, tiny_unet
from PIL import Image

import keras_indi
from keras_indi.inference.progress import Progress

ROOMS = (
    "callbacks data data.degradations evaluation images layers metrics models presets "
    "restoration samplers schedules training"
).split()


def public_classes():
    found = {}
    for room in ROOMS:
        module = importlib.import_module(f"keras_indi.{room}")
        for name in dir(module):
            thing = getattr(module, name)
            ours = inspect.isclass(thing) and thing.__module__.startswith("keras_indi")
            if ours and not name.startswith("_"):
                found[f"{room}.{name}"] = thing
    return found


CLASSES = public_classes()


def doctests():
    """The examples of the package that stand behind `>>>`, of any docstring."""
    finder = doctest.DocTestFinder(exclude_empty=True, recurse=True)
    found = {}
    for room in ROOMS:
        module = importlib.import_module(f"keras_indi.{room}")
        for _, name, _ in pkgutil.iter_modules(module.__path__, f"keras_indi.{room}."):
            for test in finder.find(importlib.import_module(name)):
                if test.examples:
                    found[test.name] = test
    return found


DOCTESTS = doctests()


@pytest.fixture(scope="module")
def names():
    """What the examples take as given."""
    images = smooth_images(4, 16, 16).astype("uint8")
    unet = {"condition_on_degraded": True}
    model = keras_indi.InDI(tiny_unet(gain=0.3), seed=0)
    return {
        "keras": keras,
        "keras_indi": keras_indi,
        "np": np,
        "model": model,
        "noisy_model": keras_indi.InDI(tiny_unet(), noise_schedule=0.02, seed=0),
        "diffusion": keras_indi.ConditionalDDPM(tiny_unet(**unet), "cosine", seed=0),
        "image": images[0],
        "clip": images[:3],
        "degraded": images,
        "clean": images[::-1].copy(),
    }


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(Progress, "PATIENCE", float("inf"))  # no bar among outputs
    monkeypatch.chdir(tmp_path)
    for index, image in enumerate(smooth_images(2, 16, 16).astype("uint8")):
        for folder in ("clean", "degraded", "restored"):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(image).save(f"{folder}/{index}.png")
        Image.fromarray(image).save("photo.jpg")
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_public_class_has_an_example(name):
    text = CLASSES[name].__doc__
    assert ">>>" in text or "```python" in text


@pytest.mark.parametrize("name", sorted(DOCTESTS))
def test_examples_run(name, names, files):
    test = DOCTESTS[name]
    test.globs = dict(names)
    lines = []
    doctest.DocTestRunner().run(test, out=lines.append)
    assert not lines, textwrap.dedent("".join(lines))
