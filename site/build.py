"""The website: `python site/build.py [folder]` renders nbs/ and the package's docstrings into folder/html (default: site/_build).

Notebooks are shown as they are committed; nothing is executed. What is plumbing in a notebook is left out on its page."""
import configparser
import importlib
import re
import shutil
import sys
from pathlib import Path
from types import FunctionType

import nbformat
from nbformat.v4 import new_markdown_cell
from sphinx.cmd.build import main as sphinx_build

SITE = Path(__file__).resolve().parent
ROOT = SITE.parent
TAGS = {"hide": "remove-cell", "echo: false": "remove-input", "output: false": "remove-output", "export": "export"}   # directive -> tag
WIDGET = "application/vnd.jupyter.widget-view+json"
MODULE = """vampbook.{0}
=========={1}

Built in {2}.

.. automodule:: vampbook.{0}

"""


def prepare_markdown(text):
    "Markdown inside <details> needs blank lines around it."
    return re.sub(r"^( *)<details>(<summary>.*?</summary>)(.*?)</details>", r"\1<details>\2\n\n\1\3\n\n\1</details>", text, flags=re.M | re.S)


def prepare_code(cell, colab):
    "Directives become tags, widgets their stored state. False for a cell without anything to read: directives only, or the install cell."
    directives = re.findall(r"^#\|\s*(.*?)\s*$", cell.source, re.M)
    cell.source = re.sub(r"^#\|.*\n?", "", cell.source, flags=re.M)
    cell.metadata.tags = [tag for name, tag in TAGS.items() if any(d == name or d.startswith(name + " ") for d in directives)]
    if all(re.match("(import|from) |$", line) for line in cell.source.splitlines()): cell.metadata.tags.append("hide-input")
    for output in cell.outputs:
        if output.get("data", {}).pop(WIDGET, None): output.data["text/html"] += f'<p><em>To move the sliders, <a href="{colab}">run this chapter</a>.</em></p>'
    return cell.source and not cell.source.startswith("%pip install")


def prepare_chapter(nb, name):
    "-> the modules that the chapter exports to"
    modules = {m for c in nb.cells if c.cell_type == "code" for m in re.findall(r"^#\| (?:default_exp|export) (\w+)", c.source, re.M)}
    colab = re.search(r"\((https://colab[^)]*\.ipynb)\)", nb.cells[1].source)[1]
    links = [f"[Open in Colab]({colab})", f"{{download}}`Download notebook <notebooks/{name}.ipynb>`"]
    links += [f"[API: `vampbook.{m}`](api/{m}.rst)" for m in sorted(modules)]
    nb.cells[0].source = nb.cells[0].source.replace("# ", f"# {name.split('_')[0]} ", 1)
    nb.cells[1] = new_markdown_cell("{.links}\n" + "\n".join(links))
    nb.cells = [c for c in nb.cells if c.cell_type == "markdown" or prepare_code(c, colab)]
    nb.metadata.pop("widgets", None)
    return modules


def prepare_index(nb, repository, chapters, modules):
    "The index is README.md too: its links start at the root of the repository."
    for cell in nb.cells:
        cell.source = re.sub(r"\]\(nbs/", "](", cell.source)
        cell.source = re.sub(r"\]\(((?:\w+/)*[A-Z]\w+\.\w+)\)", rf"]({repository}/blob/main/\1)", cell.source)
    trees = ("Chapters", chapters), ("Package", [f"api/{m}" for m in modules])
    nb.cells.append(new_markdown_cell("\n\n".join("```{toctree}\n:hidden:\n:caption: " + "\n".join([title, "", *entries]) + "\n```" for title, entries in trees)))


def prepare(source):
    settings = configparser.ConfigParser()
    settings.read(ROOT / "settings.ini")
    shutil.copytree(ROOT / "nbs", source)
    shutil.copytree(ROOT / "nbs", source / "notebooks")                  # as they are, to download
    (source / "api").mkdir()
    notebooks = {p.stem: nbformat.read(p, 4) for p in sorted(source.glob("*.ipynb"))}
    index = notebooks.pop("index")
    modules = {}                                                         # module -> the chapters that build it
    for name, nb in notebooks.items():
        for m in prepare_chapter(nb, name): modules.setdefault(m, []).append(name)
    for m, chapters in modules.items():
        module = importlib.import_module(f"vampbook.{m}")
        values = {n: repr(v) for n in module.__all__ if not isinstance(v := getattr(module, n), type | FunctionType)}   # automodule leaves them out
        page = MODULE.format(m, "=" * len(m), ", ".join(f":doc:`/{c}`" for c in chapters))
        page += "".join(f".. py:data:: {n}\n" + f"   :value: {value}\n" * (len(value) < 100 and " at 0x" not in value) + "\n" for n, value in values.items())
        (source / "api" / f"{m}.rst").write_text(page)
    prepare_index(index, settings["DEFAULT"]["git_url"], notebooks, sorted(modules))
    for name, nb in {"index": index, **notebooks}.items():
        for cell in nb.cells:
            if cell.cell_type == "markdown": cell.source = prepare_markdown(cell.source)
        nbformat.write(nb, source / f"{name}.ipynb")


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else SITE / "_build")
    for part in ("source", "doctrees", "html"): shutil.rmtree(folder / part, ignore_errors=True)
    prepare(folder / "source")
    sys.exit(sphinx_build(["-q", "-W", "--keep-going", "-c", str(SITE), "-d", str(folder / "doctrees"), str(folder / "source"), str(folder / "html")]))
