"""The site, README and the pages' links."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.backend_free

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
    if "_build" not in path.parts
)
LINK = re.compile(r"\]\(([^)\s#:]*)(?:#([^)\s]*))?\)")
FENCE = re.compile(r"^```(\w*).*?\n(.*?)^```$", re.M | re.S)


def anchors(text):
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.M)
    words = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in words}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page):
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    for target, anchor in LINK.findall(FENCE.sub("", text)):
        found = path.parent / target if target else path
        assert found.exists(), f"{page}: {target}"
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), anchor


@pytest.mark.parametrize("page", PAGES)
def test_blocks_of_python_are_python(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for language, code in FENCE.findall(text):
        if language == "python":
            compile(code, page, "exec")


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 140


@pytest.mark.slow
def test_the_site_is_built_without_warnings(tmp_path):
    for package in ("sphinx", "myst_nb", "furo", "apache_beam"):
        pytest.importorskip(package)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    done = subprocess.run(
        [*command, str(ROOT / "docs"), str(tmp_path / "site")],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # What a reader looks up is there, with its signature.
    text = (tmp_path / "site" / "reference" / "models.html").read_text()
    for name in ("InDI", "InDI.restore", "UNetBackbone", "ConditionalDDPM"):
        assert 'id="keras_indi.models.' in text and f".{name}" in text
