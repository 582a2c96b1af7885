"""`optional_import`: the module, or the command that installs it."""

import logging
import subprocess
import sys

import pytest

from keras_indi import optional_packages
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


def test_a_package_is_imported_without_what_reports_to_its_makers(
    monkeypatch, tmp_path
):
    lines = [
        "try:",
        "    import reporter",
        "except ImportError:",
        "    reporter = None",
    ]
    (tmp_path / "reporting.py").write_text("\n".join(lines))
    (tmp_path / "reporter.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(optional_packages.REPORTERS, "reporting", "reporter")
    assert optional_import("reporting", "data", "Reading").reporter is None
    assert "reporter" not in sys.modules
    assert optional_import("reporter", "data", "Reading") is not None


def test_openvino_is_imported_without_its_telemetry():
    pytest.importorskip("openvino", reason="needs the extra openvino")
    script = (
        "import sys; from keras_indi.optional_packages import optional_import; "
        "optional_import('openvino', 'openvino', 'Testing').convert_model; "
        "assert not [name for name in sys.modules if 'openvino_telemetry' in name]"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_grain_is_imported_without_its_warning(tmp_path, monkeypatch, caplog):
    warning = "import logging\nlogging.warning('no jax')\n"
    (tmp_path / "grain.py").write_text(warning)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "grain", raising=False)
    optional_import("grain", "data", "Reading pairs")
    del sys.modules["grain"]
    assert caplog.messages == []
    logging.warning("another")
    assert caplog.messages == ["another"]
