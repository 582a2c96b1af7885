"""The public face: a name that comes or goes is a decision, and is changed here too."""

import ast
import importlib.util
import inspect
import os
import pathlib
import pkgutil
import subprocess
import sys

import keras
import pytest

import keras_indi
from keras_indi.registry import Registry

pytestmark = pytest.mark.backend_free

ROOT = pathlib.Path(keras_indi.__file__).parent

# Without the classes that a registry exports: its entry is all it takes to add one.
SNAPSHOT = {
    "keras_indi": """
        ConditionalDDPM InDI UNetBackbone callbacks data evaluation export images layers
        load_restorer metrics models presets process restoration samplers schedules
        training""",
    "keras_indi.callbacks": """
        BackupAndResume EpochLog RestorationMonitor TensorBoardScalars""",
    "keras_indi.data": """
        ImageFiles Pairs UnusableImageError check_folders find_images inspect_image
        load_tfds make_pairs pairs_from_folders prepare read_image""",
    "keras_indi.data.degradations": """
        BUILTIN Compose Degradation KerasLayerDegradation RandomChoice get""",
    "keras_indi.evaluation": """
        Protocol Recommendation Table Uncertainty as_pairs evaluate recommend trade_off
        uncertainty""",
    "keras_indi.export": "export_model sampler_noise",
    "keras_indi.images": """
        ImageInfo Photograph UnusableImageError inspect_image read_image
        read_photograph write_photograph write_png write_whole""",
    "keras_indi.layers": """
        DepthToSpace2D DownsampleBlock FastConv2D ResidualBlock SpaceToDepth2D
        TimeEmbedding UpsampleBlock on_canvas""",
    "keras_indi.metrics": "BUILTIN ImageMetric InceptionV3Features",
    "keras_indi.models": """
        AveragedAdam AveragedMuon ConditionalDDPM InDI PerImageLoss Restorer
        UNetBackbone load_restorer""",
    "keras_indi.presets": """
        PRESETS_FOLDER PresetModel card list_presets read_metadata upload_preset""",
    "keras_indi.process": """
        interpolate perturb residual_flow shift_times update update_noise_scale""",
    "keras_indi.restoration": "compare file_seed restore_file restore_files",
    "keras_indi.samplers": """
        BUILTIN DIFFUSION DiffusionSampler Sampler get get_diffusion""",
    "keras_indi.schedules": """
        DiffusionSchedule ExplicitGrid NoiseSchedule ScaledNoise TimeDistribution
        TimeGrid""",
    "keras_indi.training": "NETWORK TrainingConfig train",
}


def public_names(module):
    """What `__all__` lists, else all that is neither private nor a module."""
    names = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    return set(getattr(module, "__all__", names))


def registries(module):
    """The registries in a package and its modules."""
    modules = [module, *(v for v in vars(module).values() if inspect.ismodule(v))]
    return [
        value
        for each in modules
        for value in vars(each).values()
        if isinstance(value, Registry) and value.package == module.__name__
    ]


@pytest.mark.parametrize("room", SNAPSHOT)
def test_the_public_names(room):
    module = importlib.import_module(room)
    registered = {}
    for registry in registries(module):
        registered |= registry.exports()
    names = public_names(module)
    assert sorted(names - registered.keys()) == sorted(SNAPSHOT[room].split())
    for name, found in registered.items():
        assert getattr(module, name) is found and name in names


def test_the_public_names_of_the_extra_for_beam():
    pytest.importorskip("apache_beam", reason="needs Apache Beam: the extra `beam`")
    module = importlib.import_module("keras_indi.beam")
    names = """
        EvaluateFolders EvaluatedFolders ModelHandler RestoreFiles RestoredFiles"""
    assert sorted(public_names(module)) == names.split()
    assert all(getattr(module, name).__name__ == name for name in names.split())


def test_every_registry_is_exported():
    rooms = [importlib.import_module(room) for room in SNAPSHOT]
    found = {id(registry) for room in rooms for registry in registries(room)}
    assert len(found) == 9


def test_the_main_classes_stand_at_the_top():
    assert keras_indi.InDI is keras_indi.models.InDI
    assert keras_indi.UNetBackbone is keras_indi.models.UNetBackbone
    assert keras_indi.ConditionalDDPM is keras_indi.models.ConditionalDDPM
    assert keras_indi.load_restorer is keras_indi.models.load_restorer
    rooms = {name for name in SNAPSHOT if name.count(".") == 1}
    assert {f"keras_indi.{name}" for name in keras_indi.__all__} >= rooms


def test_no_function_shadows_its_module():
    packages = [path.parent for path in ROOT.rglob("__init__.py")]
    for folder in packages:
        if "tfds" in folder.parts:  # whose builders need tfds
            continue
        if folder.name == "beam" and not importlib.util.find_spec("apache_beam"):
            continue
        name = ".".join(folder.relative_to(ROOT.parent).parts)
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules([str(folder)]):
            found = vars(package).get(module.name)
            assert found is None or inspect.ismodule(found), f"{name}.{module.name}"


def classes_for_keras():
    """The names that the package's files register, read without importing them."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any(
                "register_keras_serializable" in ast.unparse(decorator)
                for decorator in node.decorator_list
            ):
                yield f"keras_indi>{node.name}"


@pytest.mark.parametrize(
    "imports",
    [
        "keras, keras_indi",
        pytest.param("keras_indi, keras", marks=pytest.mark.slow),
        pytest.param("keras_indi.samplers, keras", marks=pytest.mark.slow),
    ],
)
def test_keras_finds_every_class_after_importing_the_package(imports):
    expected = sorted(classes_for_keras())
    assert len(expected) > 50 and "keras_indi>InDI" in expected
    expected += [f"keras_indi>{old}" for old in keras_indi.layers.old_names.RENAMED]
    script = f"import {imports}; print(*keras.saving.get_custom_objects())"
    # JAX is imported fastest.
    backend = "jax" if importlib.util.find_spec("jax") else keras.config.backend()
    environ = {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT.parent)}
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(expected) <= set(result.stdout.split())
    assert set(expected) <= keras.saving.get_custom_objects().keys()
