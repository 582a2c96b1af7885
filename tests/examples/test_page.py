"""The files that host the page: they agree with the package."""

import pathlib
import re
import runpy

import pytest

pytestmark = pytest.mark.backend_free

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "page"


@pytest.fixture
def setup_arguments(monkeypatch):
    """What `setup.py` hands to setuptools."""
    setuptools = pytest.importorskip("setuptools")
    given = {}
    monkeypatch.setattr(setuptools, "setup", lambda **kwargs: given.update(kwargs))
    runpy.run_path(str(ROOT / "setup.py"))
    return given


def test_requirements_are_those_of_the_extras(setup_arguments):
    extras = setup_arguments["extras_require"]
    wanted = {
        *setup_arguments["install_requires"],
        *extras["tensorflow"],
        *extras["page"],
    }
    lines = (FOLDER / "requirements.txt").read_text("utf-8").splitlines()
    assert {line for line in lines if not line.startswith("#")} == wanted


def test_the_header_of_a_space(setup_arguments):
    yaml = pytest.importorskip("yaml")
    _, header, _ = (FOLDER / "README.md").read_text("utf-8").split("---\n", 2)
    header = yaml.safe_load(header)
    assert header["sdk"] == "gradio" and (FOLDER / header["app_file"]).is_file()
    lowest = re.search(
        "gradio>=([0-9.]+)", " ".join(setup_arguments["extras_require"]["page"])
    )
    assert header["sdk_version"].startswith(lowest[1])


def test_the_container_copies_what_is_there_and_has_no_rights(setup_arguments):
    text = (FOLDER / "Dockerfile").read_text("utf-8")
    for line in re.findall("^COPY (.+)$", text, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name
    (extras,) = re.findall(r"\.\[(.+?)\]", text)
    assert set(extras.split(",")) <= setup_arguments["extras_require"].keys()
    user, command = (text.index(f"\n{word} ") for word in ("USER", "CMD"))
    assert text.index("pip install") < user < command


def test_the_app_serves_with_limits(monkeypatch):
    served = {}
    monkeypatch.setattr("keras_indi.page.serve", lambda **given: served.update(given))
    monkeypatch.setenv("GRADIO_SERVER_PORT", "1234")
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    runpy.run_path(str(FOLDER / "app.py"), run_name="__main__")
    assert (served["host"], served["port"]) == ("0.0.0.0", 1234)
    assert served["limits"].max_megapixels == 12
