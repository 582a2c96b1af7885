"""The site: `sphinx-build -W docs docs/_build/html`."""

import os
import pathlib
import re
import shutil
import sys

from docutils import nodes
from latex2mathml.converter import convert

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_indi.version import __version__  # noqa: E402

project = "keras_indi"
author = "The keras_indi developers"
copyright = f"2026, {author}"
release = version = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"keras_indi {release}"
html_math_renderer = "mathml"  # of browsers, without a script from elsewhere
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# Notebooks are shown as they are: running them takes minutes.
nb_execution_mode = "off"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say them, with shapes and ranges
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Call arguments", "params_style")]

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
CODE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
INCLUDE = re.compile(r"^<!-- include: (\S+) -->$", re.M)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s:#]+)(#[^)\s]*)?\)")


def docstring_from_markdown(app, what, name, object, options, lines):
    """Docstrings are Markdown, as those of Keras: their code in Sphinx's markup."""

    def block(found):
        indent, language, code = found.groups()
        body = "".join(f"   {line}\n" if line else "\n" for line in code.splitlines())
        return f"{indent}.. code-block:: {language or 'text'}\n\n{body}"

    text = FENCE.sub(block, "\n".join(lines))
    code = CODE.sub(lambda found: f"``{' '.join(found[1].split())}``", text)
    lines[:] = code.splitlines()


def skip_members_of_others(app, what, name, object, skip, options):
    """What a class inherits of Keras stands in Keras's documentation."""
    function = getattr(object, "fget", None) or object
    module = getattr(function, "__module__", None) or "keras_indi"
    return True if not module.startswith("keras_indi") else None


def read_page(app, page, content):
    """A page with the files that it includes, and links that hold on the site."""
    here = pathlib.Path(app.srcdir, page).parent

    def included(found):
        path = here / found[1]
        text = _with_links(path.read_text(encoding="utf-8"), path.parent, here)
        # Below a title of the page's own, its title is a section.
        return text if found.start() == 0 else re.sub("^#", "##", text, flags=re.M)

    content[0] = INCLUDE.sub(included, _with_links(content[0], here, here))


def _with_links(text, folder, here):
    """Links from a folder as links from a page; of a file outside the site its name."""

    def link(found):
        image, words, target, anchor = found.groups()
        path = pathlib.Path(os.path.normpath(folder / target))
        relative = os.path.relpath(path, here)
        if path.is_relative_to(ROOT / "docs") or image:
            return f"{image}[{words}]({relative}{anchor or ''})"
        name = path.relative_to(ROOT).as_posix()
        page = PAGES.get(name)
        if page is not None:
            return f"[{words}]({os.path.relpath(ROOT / 'docs' / page, here)})"
        return (
            f"`{name}`" if words in (name, path.name, target) else f"{words} (`{name}`)"
        )

    return LINK.sub(link, text)


PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "examples/paper/README.md": "experiments.md",
    "examples/paper": "experiments.md",
    "examples/presets/README.md": "presets.md",
    "examples/presets": "presets.md",
    "benchmarks": "benchmarks.md",
}


def write_math(translator, node, display):
    translator.body.append(convert(node.astext(), display=display))
    raise nodes.SkipNode


def copy_notebooks(app):
    """The tutorials become pages: Sphinx reads what lies in its folder alone."""
    folder = pathlib.Path(app.srcdir, "tutorials")
    pictures = ROOT / "examples" / "tutorials" / "pictures"
    shutil.copytree(pictures, folder / "pictures", dirs_exist_ok=True)
    for path in (ROOT / "examples" / "notebooks").glob("*.ipynb"):
        shutil.copyfile(path, folder / path.name)


def setup(app):
    app.connect("builder-inited", copy_notebooks)
    app.add_html_math_renderer(
        "mathml",
        (lambda translator, node: write_math(translator, node, "inline"), None),
        (lambda translator, node: write_math(translator, node, "block"), None),
    )
    app.connect("source-read", read_page)
    app.connect("autodoc-skip-member", skip_members_of_others)
    # Before napoleon reads the sections.
    app.connect("autodoc-process-docstring", docstring_from_markdown, priority=1)
