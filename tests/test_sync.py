"""Notebooks, package and README say the same: export, clean and README are in sync, and the wheel carries all of it."""
import base64
import json
import re
import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted(p for p in (ROOT / "nbs").glob("[0-9]*.ipynb"))


def run(*command, cwd):
    done = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def differences(a, b, pattern):
    files = {p.relative_to(root) for root in (a, b) for p in root.glob(pattern)}
    return [str(f) for f in sorted(files) if not ((a / f).exists() and (b / f).exists() and (a / f).read_bytes() == (b / f).read_bytes())]


def test_export_is_in_sync(copy):
    run("-c", "from nbdev.doclinks import nbdev_export; nbdev_export()", cwd=copy)
    assert differences(ROOT / "vampbook", copy / "vampbook", "*.py") == [], "run nbdev_export and commit the result"


def test_notebooks_are_clean(copy):
    run("-c", "from nbdev.clean import nbdev_clean; nbdev_clean()", cwd=copy)
    assert differences(ROOT / "nbs", copy / "nbs", "*.ipynb") == [], "run nbdev_clean and commit the result"


def test_readme_is_made_from_index(tmp_path):
    run("-m", "nbconvert", "--to", "markdown", "--output-dir", tmp_path, ROOT / "nbs" / "index.ipynb", cwd=ROOT)
    assert (tmp_path / "index.md").read_text() == (ROOT / "README.md").read_text(), "run `make readme` and commit the result"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapter_is_executed_in_order_without_errors(path):
    nb = nbformat.read(path, as_version=4)
    nbformat.validate(nb)
    code = [c for c in nb.cells if c.cell_type == "code"]
    outputs = [o for c in code for o in c.outputs]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    assert not [o for o in outputs if "step/s" in str(o) or "image/s" in str(o)], "a progress bar was left in the outputs"
    assert path.stat().st_size < 1_000_000
    assert any(o.output_type in ("display_data", "execute_result") for o in outputs), "the notebook was committed without its outputs"
    for cell in code:
        lines = [line for line in cell.source.splitlines() if line.strip() and not line.startswith("#|")]
        assert len(lines) <= 30, cell.source


def test_wheel_works_outside_the_checkout(wheel, tmp_path):
    "The wheel holds every module and record, and imports from an empty folder without the tools of the notebooks."
    names = {n for n in zipfile.ZipFile(wheel).namelist() if n.startswith("vampbook/")}
    assert names == {str(p.relative_to(ROOT)) for pattern in ("*.py", "results/*.json", "results/*/*", "models/*") for p in (ROOT / "vampbook").glob(pattern)}
    banned = "nbdev fastcore IPython matplotlib pooch sklearn pandas tyro"
    check = f"""
import sys
sys.path.insert(0, {str(wheel.parent / "site")!r})
sys.modules |= dict.fromkeys({banned.split()!r})     # None: importing one of these raises ModuleNotFoundError
import vampbook, torch
assert vampbook.__file__.startswith({str(wheel.parent)!r}), vampbook.__file__
data = vampbook.Dataset("toy", *[torch.randint(2, (60, 16), dtype=torch.uint8)] * 3, (1, 4, 4), "bernoulli", False)
model = vampbook.VAE(vampbook.MLPEncoder(16, 2, 8), vampbook.MLPDecoder(2, 16, 8), vampbook.VampPrior.random(3, 16))
assert len(vampbook.fit(model, data, vampbook.TrainConfig(epochs=2, device="cpu"), progress=False)) == 2
assert vampbook.log_likelihood(model, data.batch("test"), 10, progress=False).shape == (60,)
vampbook.recorded()
"""
    run("-c", check, cwd=tmp_path)


def test_readme_lists_every_chapter_with_its_recorded_run_time():
    seconds = json.loads((ROOT / "benchmarks" / "chapters.json").read_text())["seconds"]
    rows = dict(re.findall(r"\(nbs/(\w+)\.ipynb\) \|.*\| (\d+) s \|", (ROOT / "README.md").read_text()))
    assert rows == {path.stem: str(round(seconds[path.stem])) for path in CHAPTERS}, "run `python benchmarks/chapters.py` and put its times in the table of nbs/index.ipynb"


@pytest.mark.parametrize("python", ["3.10.0", "3.11.0", "3.12.0", "3.13.0"])
def test_pinned_versions_accept_this_python(python):
    "pip falls into a long search if a pin of constraints.txt is not for the Python at hand. Only pins that are installed here can be asked."
    pins = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    environment = {"python_version": python.rpartition(".")[0], "python_full_version": python}
    wanted = {canonicalize_name(pin.name): pin.specifier for pin in pins if pin.marker is None or pin.marker.evaluate(environment)}
    here = [d for d in distributions() if wanted.get(canonicalize_name(d.metadata["Name"]), SpecifierSet("<0")).contains(d.version)]
    assert len(here) > 100
    assert [d.metadata["Name"] for d in here if not SpecifierSet(d.metadata.get("Requires-Python") or "").contains(python)] == []


def test_cover_is_a_picture_of_the_explorers():
    outputs = [o for cell in nbformat.read(ROOT / "nbs" / "21_explorers.ipynb", 4).cells for o in cell.get("outputs", [])]
    pictures = [base64.b64decode(code) for o in outputs for code in re.findall('base64,([^"]+)"', o.get("data", {}).get("text/html", ""))]
    assert (ROOT / "nbs" / "cover.png").read_bytes() in pictures, "the pictures of chapter 21 have changed: save the one for README as nbs/cover.png"
