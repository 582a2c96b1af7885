"""Registries: what can be chosen by a name."""

import inspect

import keras
import pytest

from keras_indi import metrics, samplers
from keras_indi.configurable import Configurable
from keras_indi.data import degradations
from keras_indi.registry import Registry
from keras_indi.schedules import (
    diffusion_schedule,
    noise_schedule,
    time_distribution,
    time_grid,
)
from keras_indi.validation import did_you_mean

pytestmark = pytest.mark.backend_free

REGISTRIES = {
    "samplers": samplers.BUILTIN,
    "diffusion samplers": samplers.DIFFUSION,
    "time grids": time_grid.BUILTIN,
    "noise schedules": noise_schedule.BUILTIN,
    "time distributions": time_distribution.BUILTIN,
    "diffusion schedules": diffusion_schedule.BUILTIN,
    "degradations": degradations.BUILTIN,
    "metrics": metrics.BUILTIN,
}


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_entry_is_a_class_of_its_room(kind):
    registry = REGISTRIES[kind]
    assert len(registry) == len(list(registry)) >= 2
    for name, entry in registry.entries.items():
        found = registry[name]
        assert inspect.isclass(found) and entry.endswith(f":{found.__name__}")
        assert found.__module__.startswith(f"{registry.package}.")
        if issubclass(found, Configurable):
            registered = keras.saving.get_registered_name(found)
            assert registered == f"keras_indi>{found.__name__}"
            assert isinstance(found(), Configurable)  # by its defaults alone


def test_a_class_is_imported_when_it_is_asked_for():
    registry = Registry("keras_indi.samplers", {"none": "no_such_file:Nothing"})
    assert list(registry) == ["none"] and "none" in registry
    with pytest.raises(ModuleNotFoundError):
        registry["none"]


@pytest.mark.parametrize(
    "name, hint",
    [("huen", " Did you mean 'heun'?"), ("zzz", ""), (None, ""), (3, "")],
)
def test_the_nearest_name(name, hint):
    assert did_you_mean(name, samplers.BUILTIN) == hint


def test_errors_suggest_the_nearest_name():
    with pytest.raises(
        ValueError, match="Did you mean 'heun'.*Received: sampler='hun'"
    ):
        samplers.get("hun")
    with pytest.raises(ValueError, match="Did you mean 'cosine'.*Received: time_grid"):
        time_grid.get("cosin")


def test_a_name_builds_nothing_of_another_kind(monkeypatch):
    built = []
    monkeypatch.setattr(
        metrics.PSNR, "__init__", lambda *a, **k: built.append("instance")
    )
    with pytest.raises(ValueError, match="must be a NoiseSchedule"):
        noise_schedule.get("keras_indi>PSNR")
    assert not built
