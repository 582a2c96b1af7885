"""`optional_import`: the module, or the command that installs it."""

import sys

import pytest

from keras_indi.optional_packages import check_installed, optional_import

pytestmark = pytest.mark.backend_free


def test_modules_and_submodules_are_returned():
    assert optional_import("json", "data", "Reading").loads("[1]") == [1]
    found = optional_import("xml.dom.minidom", "data", "Reading")
    assert found is sys.modules["xml.dom.minidom"]


@pytest.mark.parametrize(
    "module, package",
    [("cv2", "OpenCV"), ("PIL.Image", "Pillow"), ("no_such_module", "no_such_module")],
)
def test_a_missing_package_is_named_with_the_command(monkeypatch, module, package):
    # The submodule may have been imported before.
    monkeypatch.setitem(sys.modules, module.partition(".")[0], None)
    with pytest.raises(ImportError) as error:
        optional_import(module, "data", "Reading images")
    assert str(error.value) == (
        f'Reading images needs {package}. Install it: pip install "keras-indi[data]"'
    )


def test_what_is_missing_is_told_without_importing():
    check_installed("json", "data", "Reading")
    with pytest.raises(ImportError, match=r"Reading needs no_such.*\[data\]"):
        check_installed("no_such_module", "data", "Reading")
