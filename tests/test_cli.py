"""The command as a user starts it: a process of its own."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from vampbook.recipes import SUITES

VAMPBOOK = [sys.executable, "-c", "import sys; from vampbook.cli import main; sys.exit(main())"]


def vampbook(*args, cwd):
    return subprocess.run([*VAMPBOOK, *map(str, args)], cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = vampbook("demo", cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "demo", done


def test_demo_leaves_table_figures_and_two_runs(demo):
    folder, done = demo
    assert (folder / "figures.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    table = (folder / "comparison.md").read_text()
    for prior in ("standard", "vampprior"):
        record = json.loads((folder / prior / "record.json").read_text())
        test = record["test"]
        assert (test["n_samples"], test["n_images"]) == (5000, 300)
        assert f"{test['ll']:.2f} ± {test['ll_standard_error']:.2f}" in table and table.strip().splitlines()[-1] in done.stdout
        assert -25 < test["ll"] < -20 and test["elbo"] < test["ll"]      # 64 fair coins would be -44.4 nats
    gain = np.subtract(*(np.load(folder / prior / "record.npz")["ll"] for prior in ("vampprior", "standard")))
    assert f"{gain.mean():+.2f} ± {gain.std(ddof=1) / len(gain) ** 0.5:.2f} nats" in table
    assert not list(folder.rglob(".*.tmp"))


def test_demo_does_nothing_twice(demo):
    folder, _ = demo
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*.safetensors")} | {p: p.stat().st_mtime_ns for p in folder.rglob("record.json")}
    done = vampbook("demo", cwd=folder.parent)
    assert done.returncode == 0, done.stderr[-3000:]
    assert before == {p: p.stat().st_mtime_ns for p in before}


def test_ctrl_c_leaves_a_run_that_goes_on(tmp_path):
    "Interrupt a training after its first epoch; resume it and evaluate it."
    command = [*VAMPBOOK, "train", "--prior", "standard", "--epochs", "100000", "--patience", "100000", "--latent", "2", "--hidden", "16", "--out", "run"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))     # a background job of a shell ignores it
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    deadline = time.time() + 120
    while not checkpoint.exists() and time.time() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted after" in out and "vampbook resume run" in out, out + err
    assert "Traceback" not in err
    epochs = int(out.split("interrupted after ")[1].split()[0])
    done = vampbook("resume", "run", "--epochs", epochs + 2, cwd=tmp_path)
    assert done.returncode == 0 and f"max epochs after {epochs + 2} epochs" in done.stdout, done.stdout + done.stderr
    assert vampbook("evaluate", "run", "--n-samples", 20, "--n-images", 30, cwd=tmp_path).returncode == 0
    assert json.loads((tmp_path / "run" / "record.json").read_text())["train"]["epochs"] == epochs + 2


def test_a_reader_may_stop_early():
    "As `vampbook table 1 | head -1` does."
    process = subprocess.Popen([*VAMPBOOK, "table", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert (process.stderr.read(), process.wait(timeout=60)) == ("", 141)


@pytest.mark.parametrize("damage", ["not json", '{"dataset": "digits"}'])
def test_damaged_configuration_is_one_message(tmp_path, damage):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(damage)
    done = vampbook("evaluate", "run", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("vampbook: ") and "Traceback" not in done.stderr


@pytest.mark.skipif(not os.environ.get("VAMPBOOK_DATA"), reason="VAMPBOOK_DATA names no folder with the real data")
def test_real_mnist_trains_evaluates_and_samples(tmp_path):
    "One epoch of a small model on dynamic MNIST, through every command."
    sizes = ["--latent", 4, "--hidden", 16, "--n-components", 10, "--epochs", 1, "--warmup", 0, "--out", "run"]
    for command in (["train", "--dataset", "dynamic_mnist", "--prior", "vampprior", *sizes],
                    ["evaluate", "run", "--n-samples", 20, "--n-images", 100], ["sample", "run", "--n", 12]):
        done = vampbook(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "run" / "samples.png").exists()
    record = json.loads(Path(tmp_path, "run", "record.json").read_text())
    assert -300 < record["test"]["ll"] < -100      # 784 fair coins: -543 nats


@pytest.mark.parametrize("command", ["table", "reproduce"])
def test_help_names_every_suite(command, tmp_path):
    told = " ".join(vampbook(command, "--help", cwd=tmp_path).stdout.replace("│", " ").split())
    assert [name for name in SUITES if name not in told and not name.removeprefix("table").isdigit()] == [] and "table5" in told
