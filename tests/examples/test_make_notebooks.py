"""Notebooks are what the scripts say, and read well."""

import json
import os
import re
import subprocess
import sys

import nbformat
import pytest

from keras_indi_cli import environment

pytestmark = pytest.mark.backend_free
MOST_LINES = 25


@pytest.fixture
def notebook(tutorial, make_notebooks):
    return nbformat.reads(make_notebooks.make_notebook(tutorial), as_version=4)


def test_committed_notebooks_are_those_of_the_scripts(make_notebooks):
    names = [path.name for path in make_notebooks.out_of_date()]
    assert not names, "run examples/make_notebooks.py"
    assert len(make_notebooks.make_all()) == 9


def test_check_finds_what_differs(make_notebooks, monkeypatch, tmp_path, capsys):
    script = (make_notebooks.ROOT / "tutorials" / "bring_your_own.py").read_text()
    (tmp_path / "tutorials").mkdir()
    (tmp_path / "tutorials" / "one.py").write_text(script)
    monkeypatch.setattr(make_notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["make_notebooks.py"])
    made = tmp_path / "notebooks" / "one.ipynb"
    assert make_notebooks.out_of_date() == [made]
    assert not make_notebooks.main()
    assert make_notebooks.out_of_date() == []
    monkeypatch.setattr(sys, "argv", ["make_notebooks.py", "--check"])
    assert not make_notebooks.main()

    content = made.read_text()
    made.write_text(content.replace("scratches", "stars", 1))
    (tmp_path / "notebooks" / "forgotten.ipynb").write_text(content)
    assert make_notebooks.main()
    assert capsys.readouterr().err.count("Not up to date") == 2


def test_header_is_asked_for(make_notebooks, tmp_path):
    script = tmp_path / "one.py"
    script.write_text('"""\nTitle: One\nAuthor: Two\n"""\n\nprint(1)\n')
    with pytest.raises(ValueError, match="header must have Title.*Received: Title, A"):
        make_notebooks.read_script(script)


def test_cells(make_notebooks, tmp_path):
    header = "\n".join(f"{field}: a {field}" for field in make_notebooks.FIELDS)
    script = tmp_path / "one.py"
    script.write_text(
        f'"""\n{header}\n"""\n\nr"""\nText $\\sigma$, ![it](pictures/a.png).\n"""\n\n'
        'def f():\n    """No text."""\n\n    return 1\n\n\n# A comment.\nf()\n\n'
        '"""\nFirst.\n"""\n\n"""\nSecond.\n"""\n\n1 + 1  # the end\n'
    )
    _, cells = make_notebooks.read_script(script)
    assert cells == [
        ("markdown", "Text $\\sigma$, ![it](pictures/a.png)."),
        ("code", 'def f():\n    """No text."""\n\n    return 1\n\n\n# A comment.\nf()'),
        ("markdown", "First."),
        ("markdown", "Second."),
        ("code", "1 + 1  # the end"),
    ]
    made = json.loads(make_notebooks.make_notebook(script))
    assert "![it](../tutorials/pictures/a.png)" in "".join(made["cells"][3]["source"])


def test_notebook_is_stripped_and_sets_itself_up(tutorial, notebook, make_notebooks):
    nbformat.validate(notebook)
    first, _, setup = notebook.cells[:3]
    assert first.source.startswith("# ")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
    # It picks the backend, and installs, before anything imports Keras.
    assert 'setdefault("KERAS_BACKEND"' in setup.source and "%pip" in setup.source
    importing = [c for c in notebook.cells if "import keras" in c.source]
    assert notebook.cells.index(importing[0]) > 2
    assert make_notebooks.make_notebook(tutorial) == make_notebooks.make_notebook(
        tutorial
    )


@pytest.mark.parametrize(
    "accelerator, installed, backend",
    [
        (False, [], "tensorflow"),
        (True, [], "jax"),
        (False, ["jax", "torch"], "torch"),
        (True, ["tensorflow", "jax"], "jax"),
        (True, ["tensorflow"], "tensorflow"),
    ],
)
def test_setup_selects_jax_only_on_an_accelerator(
    make_notebooks, monkeypatch, accelerator, installed, backend
):
    present = {*installed, "keras_indi"}
    monkeypatch.setenv("KERAS_BACKEND", "")
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr("shutil.which", lambda name: name if accelerator else None)
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: name if name in present else None
    )
    code = make_notebooks.SETUP_CODE.replace("%pip", "pass  #")
    exec(code, {})
    assert os.environ["KERAS_BACKEND"] == backend
    # The choice of a user stands.
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    exec(code, {})
    assert os.environ["KERAS_BACKEND"] == "torch"
    # As the command chooses.
    for order in (environment.ACCELERATOR_ORDER, environment.CPU_ORDER):
        assert str(order).replace("'", '"') in code


def installed_by(notebook):
    """The requirement that the cell of the set-up installs."""
    return re.search(r'%pip install -q "(.+)"', notebook.cells[2].source).group(1)


def test_without_an_address_all_comes_from_the_checkout(
    tutorial, make_notebooks, monkeypatch
):
    monkeypatch.setattr(make_notebooks, "PROJECT_URL", "")
    text = make_notebooks.make_notebook(tutorial)
    notebook = nbformat.reads(text, as_version=4)
    assert "colab.research" not in text and "git+" not in text
    path, extras = installed_by(notebook).split("[", 1)
    folder = (make_notebooks.ROOT / "notebooks" / path).resolve()
    assert (folder / "setup.py").is_file()
    assert extras.startswith("{backend},quickstart")
    for name in re.findall(r"\]\((\.\./tutorials/[^)]+)\)", text):
        assert (make_notebooks.ROOT / "notebooks" / name).is_file(), name


def test_with_an_address_all_comes_from_there(tutorial, make_notebooks, monkeypatch):
    monkeypatch.setattr(make_notebooks, "PROJECT_URL", "https://github.com/some/where")
    text = make_notebooks.make_notebook(tutorial)
    notebook = nbformat.reads(text, as_version=4)
    requirement = installed_by(notebook)
    assert requirement.startswith("keras-indi[quickstart")
    assert requirement.endswith("] @ git+https://github.com/some/where")
    opened = f"/github/some/where/blob/main/examples/notebooks/{tutorial.stem}.ipynb)"
    assert opened in notebook.cells[0].source
    assert "](pictures/" not in text and "](../tutorials" not in text

    # Colab opens what is on GitHub alone.
    monkeypatch.setattr(make_notebooks, "PROJECT_URL", "https://example.org/where")
    text = make_notebooks.make_notebook(tutorial)
    assert "@ git+https://example.org/where" in text and "colab.research" not in text


def test_cells_are_short_and_explained(notebook):
    kinds = [cell.cell_type for cell in notebook.cells]
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
            assert kinds[index - 1] == "markdown", cell.source


def test_pictures_of_the_text_are_there_and_made_by_the_code(tutorial):
    source = tutorial.read_text(encoding="utf-8")
    shown = re.findall(r"\]\(pictures/([^)]+)\)", source)
    for name in shown:
        assert (tutorial.parent / "pictures" / name).is_file(), name
        # By its full name, or by a function that adds the ending.
        code = re.sub(r'^r?"""$.*?^"""$', "", source, flags=re.DOTALL | re.MULTILINE)
        assert name in code or f'"{name.removesuffix(".png")}"' in code, name


def test_runs_as_a_command(make_notebooks):
    script = make_notebooks.ROOT / "make_notebooks.py"
    assert subprocess.call([sys.executable, str(script), "--check"]) == 0
