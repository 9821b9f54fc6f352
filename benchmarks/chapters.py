"""How long does each chapter take? Runs them as the tests do, two at a time on one thread each, and writes benchmarks/chapters.json, where README's table has its run times from.

    python benchmarks/chapters.py                           all of them
    python benchmarks/chapters.py 06_training 19_results    these, beside what is recorded of the others
"""
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]

names = sys.argv[1:]
chosen = "runs_from" + (f" and ({' or '.join(names)})" if names else "")
with tempfile.TemporaryDirectory() as folder:
    report = Path(folder, "report.xml")
    done = subprocess.run([sys.executable, "-m", "pytest", "tests/test_chapters.py", "-k", chosen, f"--junitxml={report}"], cwd=ROOT)
    if done.returncode: sys.exit("not recorded: a chapter failed, or none has a name that was given")
    cases = ElementTree.parse(report).iter("testcase")
    seconds = {case.get("name").split("[")[1].rstrip("]"): round(float(case.get("time")), 1) for case in cases if "index" not in case.get("name")}
target = Path(__file__).with_suffix(".json")
if names: seconds = json.loads(target.read_text())["seconds"] | seconds
record = {"date": datetime.date.today().isoformat(), "cores": os.cpu_count(), "at a time": 2, "seconds": dict(sorted(seconds.items()))}
target.with_suffix(".tmp").write_text(json.dumps(record, indent=1) + "\n")
target.with_suffix(".tmp").replace(target)
