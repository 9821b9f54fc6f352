"""Every notebook, by nbdev's own runner with its directives and flags, as a reader runs it: the installed package, an empty folder, no repository around.

`pytest -k 06_training --nbflags slow` runs one chapter with its slow cells (several flags: --nbflags "slow cuda").
"""
import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbdev.config import get_config

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "nbs").glob("[0-9]*.ipynb"))
RUN = """
import sys
from pathlib import Path
from nbdev.test import test_nb
import vampbook
name, skip, flags, site = sys.argv[1:]
assert vampbook.__file__.startswith(site), f"{vampbook.__file__} is not the installed package"
ok, _ = test_nb(Path(name), skip_flags=skip.split(), force_flags=flags.split())
sys.exit(not ok)
"""


@pytest.mark.parametrize("notebook", sorted((ROOT / "nbs").glob("*.ipynb")), ids=lambda path: path.stem)
def test_chapter_runs_from_the_installed_package(notebook, wheel, tmp_path, request):
    shutil.copy(notebook, tmp_path)
    site = str(wheel.parent / "site")
    command = [sys.executable, "-c", RUN, notebook.name, get_config(path=ROOT).tst_flags, request.config.getoption("--nbflags"), site]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": site})
    if done.returncode:
        pytest.fail(done.stdout[-4000:] + done.stderr[-6000:], pytrace=False)


@pytest.mark.parametrize("notebook", CHAPTERS, ids=lambda path: path.stem)
def test_install_cell_brings_what_the_chapter_imports(notebook):
    "In a fresh Jupyter or Colab, the install cell above a chapter is all there is; both bring IPython, and Ray is asked for by name."
    settings = configparser.ConfigParser(delimiters=["="])
    settings.read(ROOT / "settings.ini")
    wanted = " ".join(settings["DEFAULT"][name] for name in ("requirements", "book_requirements"))
    there = {re.split(r"[<>=]", name)[0].replace("scikit-learn", "sklearn").replace("pillow", "PIL") for name in wanted.split()} | {"vampbook", "IPython", "ray"} | sys.stdlib_module_names
    code = [cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    assert any(source.endswith('%pip install -q "vampbook[book]"') for source in code)
    trees = [ast.walk(ast.parse(re.sub("^%.*", "", source, flags=re.M))) for source in code]
    imported = {name for tree in trees for node in tree for name in
                ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module] if isinstance(node, ast.ImportFrom) and not node.level else [])}
    assert {name.split(".")[0] for name in imported} <= there
