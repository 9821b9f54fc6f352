"""Every notebook, by nbdev's own runner with its directives and flags, as a reader runs it: the installed package, an empty folder, no repository around.

`pytest -k 06_training --nbflags slow` runs one chapter with its slow cells (several flags: --nbflags "slow cuda").
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbdev.config import get_config

ROOT = Path(__file__).parents[1]
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
    command = [sys.executable, "-c", RUN, notebook.name, get_config(ROOT).tst_flags, request.config.getoption("--nbflags"), site]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": site})
    if done.returncode:
        pytest.fail(done.stdout[-4000:] + done.stderr[-6000:], pytrace=False)
