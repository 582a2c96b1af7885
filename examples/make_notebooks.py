"""Makes the notebooks of the tutorials from their scripts.

    pip install ".[notebooks]"
    python examples/make_notebooks.py          # writes examples/notebooks/*.ipynb
    python examples/make_notebooks.py --check  # writes nothing; status 1 if they differ

A script of `examples/tutorials` begins with a header, a docstring of `Title`, `Author`,
`Date created`, `Last modified`, `Description` and `Accelerator`. A string in triple
quotes at its top level is text (Markdown), and what stands between two texts is a cell
of code. The same script always gives the same notebook.
"""

import argparse
import ast
import pathlib
import sys
import tomllib

import nbformat
from nbformat import v4

ROOT = pathlib.Path(__file__).parent
# The project's only setting of its public address; empty while it has none. All
# addresses in the notebooks are derived from it.
PROJECT_URL = tomllib.loads((ROOT.parent / "pyproject.toml").read_text("utf-8"))[
    "tool"
]["keras-indi"]["project_url"]
GITHUB = "https://github.com/"
FIELDS = (
    "Title",
    "Author",
    "Date created",
    "Last modified",
    "Description",
    "Accelerator",
)
SETUP_TEXT = """## Setup

The next cell selects the backend of Keras, `"jax"`, `"tensorflow"` or `"torch"`: one
that is installed, and the fastest for this device, JAX on a GPU or a TPU and TensorFlow
on a CPU. To use another one, set `KERAS_BACKEND` before Keras is imported. Then the
cell installs the package from SOURCE, unless it is installed already."""
SETUP_CODE = """import importlib.util
import os
import shutil

accelerator = shutil.which("nvidia-smi") or importlib.util.find_spec("libtpu")
if accelerator:
    order = ("jax", "torch", "tensorflow")
else:
    order = ("tensorflow", "torch", "jax")
installed = [name for name in order if importlib.util.find_spec(name)]
backend = os.environ.setdefault("KERAS_BACKEND", [*installed, *order][0])

if importlib.util.find_spec("keras_indi") is None:
    %pip install -q REQUIREMENTS"""
# What a tutorial needs installed beside the package and a backend: extras, and packages
# that no extra has.
EXTRAS = {
    "train_at_full_scale": "quickstart,tfds",
    "export_and_serve": "quickstart,onnx,tensorflow",
}
PACKAGES = {"export_and_serve": ["onnxruntime"]}


def read_script(path):
    """Read a tutorial.

    Args:
        path: Path of the script.

    Returns:
        Pair of its header, a dict with the keys `FIELDS`, and its cells, a list of
        pairs of `"markdown"` or `"code"` and the text.

    Raises:
        ValueError: If the header lacks a field.
    """
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    body = ast.parse(source).body
    texts = [node for node in body if _text(node) is not None]
    header = dict(
        line.split(": ", 1) for line in ast.get_docstring(ast.parse(source)).split("\n")
    )
    if tuple(header) != FIELDS:
        raise ValueError(
            f"The header must have {', '.join(FIELDS)}, in this order. Received: "
            f"{', '.join(header)} in {path.name}"
        )
    cells = []
    ends = [node.lineno - 1 for node in texts[1:]] + [len(lines)]
    for node, end in zip(texts, ends):
        if node is not texts[0]:
            cells.append(("markdown", _text(node).strip()))
        code = "\n".join(lines[node.end_lineno : end]).strip()
        if code:
            cells.append(("code", code))
    return header, cells


def _text(node):
    """The string of a node that is nothing else, or `None`."""
    value = getattr(node, "value", None)
    if isinstance(node, ast.Expr) and isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else None
    return None


def make_notebook(path):
    """The notebook of a tutorial, without outputs.

    Args:
        path: Path of the script.

    Returns:
        String, the `.ipynb` file's content.
    """
    header, cells = read_script(path)
    name = path.stem
    extras = EXTRAS.get(name, "quickstart")
    if PROJECT_URL:
        source = "the project's repository"
        # A hosted notebook brings backends that fit its accelerator.
        requirement = f"keras-indi[{extras}] @ git+{PROJECT_URL}"
    else:
        source = "the checkout that this notebook is in"
        requirement = f"../..[{{backend}},{extras}]"
    requirements = " ".join([f'"{requirement}"', *PACKAGES.get(name, ())])
    title = f"# {header['Title']}\n\n{_hosted_link(name)}"
    cells = [
        (
            "markdown",
            title
            + "\\\n".join(f"**{field}:** {header[field]}" for field in FIELDS[1:]),
        ),
        ("markdown", SETUP_TEXT.replace("SOURCE", source)),
        ("code", SETUP_CODE.replace("REQUIREMENTS", requirements)),
        *cells,
    ]
    made = []
    for index, (kind, text) in enumerate(cells):
        make = v4.new_markdown_cell if kind == "markdown" else v4.new_code_cell
        if kind == "markdown":
            text = text.replace("](pictures/", f"]({_pictures()}/")
        # Not nbformat's random ids: the same script, the same notebook.
        made.append(make(text, id=f"{kind}-{index:02d}"))
    # What Colab is to run it on; a notebook without the key runs on a processor.
    accelerator = header["Accelerator"]
    wanted = {} if accelerator == "None" else {"accelerator": accelerator}
    notebook = v4.new_notebook(
        cells=made,
        metadata={
            **wanted,
            "colab": {"name": name, "toc_visible": True},
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
    )
    # The last minor version that all readers of today know.
    notebook.nbformat_minor = 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def _hosted_link(name):
    """The badge that opens a notebook in Colab, if the project is on GitHub."""
    if not PROJECT_URL.startswith(GITHUB):
        return ""
    colab = "https://colab.research.google.com"
    repository = PROJECT_URL.removeprefix(GITHUB)
    return (
        f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({colab}/github/"
        f"{repository}/blob/main/examples/notebooks/{name}.ipynb)\n\n"
    )


def _pictures():
    """Where the texts of a notebook find their pictures."""
    if not PROJECT_URL.startswith(GITHUB):
        return "../tutorials/pictures"
    # Colab shows neither attached pictures nor those of a relative path.
    repository = PROJECT_URL.removeprefix(GITHUB)
    return (
        f"https://raw.githubusercontent.com/{repository}/main/"
        "examples/tutorials/pictures"
    )


def make_all():
    """Dict of the notebooks' paths to their contents."""
    return {
        ROOT / "notebooks" / f"{path.stem}.ipynb": make_notebook(path)
        for path in sorted((ROOT / "tutorials").glob("*.py"))
    }


def out_of_date():
    """Paths of the notebooks that differ from their scripts', or have none."""
    made = make_all()
    there = set((ROOT / "notebooks").glob("*.ipynb"))
    differing = {
        path
        for path, content in made.items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    }
    return sorted(differing | (there - made.keys()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args().check:
        differing = out_of_date()
        for path in differing:
            print(f"Not up to date: {path.name}", file=sys.stderr)
        return bool(differing)
    for path, content in make_all().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    sys.exit(main())
