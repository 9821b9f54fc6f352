"The script for the owner of a GPU, as far as a CPU can tell."
import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.py"


def test_gpu_script_on_a_cpu(tmp_path):
    command = [sys.executable, SCRIPT, "--device", "cpu", "--quick", "--out", tmp_path]
    first = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TORCH_COMPILE_DISABLE": "1"})
    assert first.returncode == 0, first.stderr
    result = json.loads((tmp_path / "gpu.json").read_text())
    for model in ("VAE", "HVAE"):       # without GPU and compiler all are the same steps: the comparison itself must find no difference
        for kind in ("recorded", "recorded, compiled"):
            assert result["a step"][model][kind]["largest difference of a weight"] == 0 and result["a step"][model][kind]["difference of the bound, nats"] == 0
        assert result["a step"][model]["refused"] == [] and result["log-likelihood"][f"{model}, vampprior"]["seconds"] > 0
    assert set(result["steps a second"]["no MPS"]) == {"1", "2"}
    before = (tmp_path / "gpu.json").read_text()
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert (tmp_path / "gpu.json").read_text() == before        # what is measured is not measured again
    refused = subprocess.run([a for a in command if a != "--quick"] + ["--measure-only"], capture_output=True, text=True)
    assert refused.returncode == 1 and "quick ones. Move it away" in refused.stderr


def test_gpu_script_without_that_gpu(tmp_path):
    refused = subprocess.run([sys.executable, SCRIPT, "--device", "cuda:99", "--out", tmp_path / "runs"], capture_output=True, text=True)
    assert refused.returncode == 2 and "device 'cuda:99' cannot be used here" in refused.stderr and "Traceback" not in refused.stderr
    assert not (tmp_path / "runs").exists()
