"A sweep on a Ray cluster of two nodes, with a worker killed in the middle of a run. Skipped where Ray is not installed (pip install 'vampbook[ray]')."
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from vampbook import recipes
from vampbook.training import read_checkpoint

ray = pytest.importorskip("ray")
psutil = pytest.importorskip("psutil")
RAY = Path(sys.executable).with_name("ray")
HEAD = "127.0.0.1:6399"


@pytest.fixture
def cluster():
    start = [RAY, "start", "--num-cpus=1", "--num-gpus=0", "--disable-usage-stats"]
    subprocess.run([*start, "--head", "--port=6399", "--include-dashboard=false"], check=True, capture_output=True)
    subprocess.run([*start, f"--address={HEAD}"], check=True, capture_output=True)
    os.environ["RAY_ADDRESS"] = HEAD
    yield
    ray.shutdown()
    del os.environ["RAY_ADDRESS"]
    subprocess.run([RAY, "stop", "--force"], capture_output=True)


def epochs_of(folder):
    path = folder / "checkpoint.safetensors"
    return read_checkpoint(path)[-1].rows if path.exists() else []


def test_a_killed_worker_loses_nothing(cluster, tmp_path, monkeypatch):
    cells = [replace(c, config=replace(c.config, train=replace(c.config.train, epochs=150))) for c in recipes.suite("digits")[:2]]
    monkeypatch.setitem(recipes.SUITES, "digits", cells)
    folders = [recipes.run_folder(c, 0, tmp_path) for c in cells]
    failures = []
    sweep = Thread(target=lambda: failures.append(recipes.reproduce("digits", out=tmp_path, device="cpu", engine="ray", progress=False)))
    sweep.start()
    deadline = time.time() + 300
    while min(len(epochs_of(f)) for f in folders) < 5: assert time.time() < deadline and sweep.is_alive(), failures; time.sleep(0.2)
    assert len(ray.nodes()) == 2
    workers = [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] and p.info["cmdline"][0].startswith("ray::run_cell")]
    assert len(workers) == 2      # one on each node
    before = [epochs_of(f) for f in folders]
    workers[0].send_signal(signal.SIGKILL)
    sweep.join(400)
    assert failures == [[]]
    assert [row["runs"] for row in recipes.table("digits", out=tmp_path)] == ["1", "1"]
    after = [epochs_of(f) for f in folders]
    for old, new in zip(before, after): assert new[:len(old)] == old and len(new) == 150 > len(old)    # the seconds of each epoch too: none was trained again


def test_no_cluster_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="no Ray cluster found"): recipes.reproduce("digits", out=tmp_path, engine="ray", progress=False)
