"""What stands around the package: its address, its metadata, its automation."""

import pathlib
import re
import runpy
import shutil
import subprocess
import tomllib

import pytest
import yaml

import keras_indi

pytestmark = pytest.mark.backend_free

ROOT = pathlib.Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT_URL = PYPROJECT["tool"]["keras-indi"]["project_url"]

# Addresses that would be the project's. The strings are split so that this file holds
# none of them.
OURS = {
    "an address with the project's name": (
        r"(?:https?:/{2}|git@|www\.)[^\s\"'`<>)]*keras[-_]?indi"
    ),
    "a repository": r"\bkeras[-_]?indi/keras[-_]?indi\b",
    "an installation from a repository": r"git\+(?:https|ssh)",
    "a hosted notebook": r"colab\.research",
    "an e-mail address": r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|ai)\b",
    "a package index's copy": r'pip install "?keras-indi',
}
# These derive addresses from the setting, and test that.
DERIVES = {
    "examples/make_notebooks.py",
    "tests/examples/test_make_notebooks.py",
    "tests/test_project.py",
}
TEXT = {".py", ".md", ".ipynb", ".toml", ".yml", ".yaml", ".cff", ".json", ".bib", ""}


def project_files():
    """Paths of the project's text files, as Git knows them."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a Git checkout")
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.suffix in TEXT and path.is_file()]


def addresses_in(text):
    """What of `OURS` a text names, with where it stands."""
    return [
        f"{what}: {found.group()}"
        for what, pattern in OURS.items()
        for found in re.finditer(pattern, text, re.IGNORECASE)
    ]


def is_error_message(path):
    # The package that tells of a missing extra is installed: pip finds it so.
    return path.relative_to(ROOT).parts[0].startswith(("keras_indi", "tests"))


def test_no_file_names_an_address_while_there_is_none():
    if PROJECT_URL:
        pytest.skip("the project has an address")
    paths = project_files()
    assert ROOT / "README.md" in paths and ROOT / "setup.py" in paths
    found = {}
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        if name in DERIVES:
            continue
        named = addresses_in(path.read_text(encoding="utf-8"))
        if is_error_message(path):
            named = [n for n in named if not n.startswith("a package index")]
        if named:
            found[name] = named
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "see https://github.com/keras-indi/keras_indi",
        "[docs](https://keras-indi.readthedocs.io/)",
        "pip install git+https://github.com/someone/fork",
        "https://colab.research.google.com/github/a/b",
        "write to someone@example.org",
        'pip install "keras-indi[data]"',
    ],
)
def test_the_search_finds_addresses(text):
    assert addresses_in(text)


def test_the_search_leaves_other_addresses_alone():
    assert not addresses_in("https://arxiv.org/abs/2303.11435 hf://user/name@v1.2")
    assert not addresses_in(
        'pip install ".[data]"; https://github.com/rimchang/RealBlur'
    )


def setup_arguments(folder, monkeypatch):
    """What `setup.py` in a folder hands to setuptools."""
    setuptools = pytest.importorskip("setuptools")
    given = {}
    monkeypatch.setattr(setuptools, "setup", lambda **kwargs: given.update(kwargs))
    runpy.run_path(str(folder / "setup.py"))
    return given


def test_the_setting_alone_gives_project_urls(monkeypatch, tmp_path):
    assert bool(setup_arguments(ROOT, monkeypatch)["project_urls"]) == bool(PROJECT_URL)

    for name in ("setup.py", "pyproject.toml", "README.md", "keras_indi/version.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    settings = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    chosen = 'project_url = "https://example.org/here"'
    settings, count = re.subn('project_url = ".*"', chosen, settings)
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    assert count == 1
    urls = setup_arguments(tmp_path, monkeypatch)["project_urls"]
    assert urls["Source"] == "https://example.org/here"
    assert all(url.startswith("https://example.org/here") for url in urls.values())


def read_yaml(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_citation_and_changelog_are_of_this_version():
    version = keras_indi.__version__
    citation = read_yaml("CITATION.cff")
    assert citation["version"] == version
    (paper,) = citation["references"]
    assert paper["identifiers"][0]["value"] == "arXiv:2303.11435"
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(version)}\]", changelog, re.MULTILINE)


def test_hooks_use_the_versions_of_the_test_extra(monkeypatch):
    wanted = setup_arguments(ROOT, monkeypatch)["extras_require"]["test"]
    (repository,) = read_yaml(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert set(hook["additional_dependencies"]) <= set(wanted), hook["id"]


def test_the_workflow_runs_the_test_command_and_every_backend(monkeypatch):
    jobs = read_yaml(".github/workflows/tests.yml")["jobs"]
    assert {"run": ".ci/run"} in jobs["test-command"]["steps"]
    extras = setup_arguments(ROOT, monkeypatch)["extras_require"]
    for name in ("backend", "lowest-versions"):
        backends = jobs[name]["strategy"]["matrix"]["backend"]
        assert backends == ["tensorflow", "jax", "torch"]
        assert set(backends) <= extras.keys()
    python = jobs["backend"]["strategy"]["matrix"]["python"]
    assert python == ["3.11", "3.12", "3.13"]  # strings: 3.10 would be 3.1
