"""Each notebook in nbs/ is one pytest item, executed by nbdev's own runner with its directives and flags.

`pytest --nbflags slow` also runs the cells marked `#| slow` (several flags: --nbflags "slow cuda").
"""
import os
import subprocess
import sys

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")     # pytest runs one worker per core: more threads than that only wait for each other

RUN = """
import sys
from pathlib import Path
from nbdev.config import get_config
from nbdev.test import test_nb
cfg = get_config()
ok, _ = test_nb(Path(sys.argv[1]), skip_flags=cfg.tst_flags.split(), force_flags=sys.argv[2].split(), basepath=cfg.config_path)
sys.exit(not ok)
"""


def pytest_addoption(parser):
    parser.addoption("--nbflags", default="", help="nbdev test flags to run as well, e.g. 'slow'")


def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".ipynb" and not file_path.name.startswith(("_", ".")):
        return NotebookFile.from_parent(parent, path=file_path)


class NotebookFile(pytest.File):
    def collect(self):
        yield NotebookItem.from_parent(self, name=self.path.stem)


class NotebookFailed(Exception):
    pass


class NotebookItem(pytest.Item):
    def runtest(self):
        command = [sys.executable, "-c", RUN, str(self.path), self.config.getoption("--nbflags")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.config.rootpath)
        if done.returncode:
            raise NotebookFailed(done.stdout[-4000:] + done.stderr[-6000:])

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value) if isinstance(excinfo.value, NotebookFailed) else super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, None, f"notebook {self.name}"
