"""What the tests share: the flags of the notebooks' cells, and the package as a reader installs it."""
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from filelock import FileLock

os.environ.setdefault("OMP_NUM_THREADS", "1")     # pytest runs one worker per core: more threads than that only wait for each other
ROOT = Path(__file__).parent


def pytest_addoption(parser):
    parser.addoption("--nbflags", default="", help="nbdev test flags to run as well, e.g. 'slow' or 'slow cuda'")


@pytest.fixture
def copy(tmp_path):
    "A copy of the project, so that a check never changes the checkout."
    return copy_of_project(tmp_path / "project")


def copy_of_project(to):
    ignore = shutil.ignore_patterns(".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", "_build", "release", "demo", "runs")
    return Path(shutil.copytree(ROOT, to, ignore=ignore))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory, worker_id):
    "The wheel, built once for all workers -> its path; beside it, in `site`, what it installs."
    folder = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    with FileLock(folder / "wheel.lock"):
        if not (folder / "dist").exists():
            command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "new", copy_of_project(folder / "wheel")]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            (built,) = (folder / "new").glob("*.whl")
            zipfile.ZipFile(built).extractall(folder / "new" / "site")
            (folder / "new").rename(folder / "dist")
    (path,) = (folder / "dist").glob("*.whl")
    return path
