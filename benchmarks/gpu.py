"""For the owner of a GPU, to be started once: what it does in a second, and then Table 1, dense networks first.

    python benchmarks/gpu.py [--out runs] [--jobs N] [--seeds 1] [--measure-only]

Measures, and writes to OUT/gpu.json after each part: a training step as it is, recorded as a CUDA graph, and recorded with compiled operations, and by how much they differ; log p(x) of
10 000 images with 5 000 draws; how many steps a second come out of several runs side by side, as processes on one device, with and without NVIDIA's multi-process service (MPS), which
lets the kernels of several processes run at the same time. Then `vampbook reproduce table1_dense`, and `table1`, with as many runs at a time as were fastest (or N). Everything goes on
where it was cut short. `--device cpu --quick` tries the measurements, small, without a GPU.
"""
import argparse
import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from unittest.mock import patch

import torch
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from wall_clock import a_step, ratios, synthetic, timed

from vampbook.cli import markdown_table
from vampbook.evaluation import log_likelihood
from vampbook.experiments import build, provenance, write_json
from vampbook.recipes import cell, reproduce, table
from vampbook.training import pick_device, quick_step, run_epoch


def steps(device, quick):
    "Steps of three kinds, from the same weights, with the same batches and random numbers: their times, and how far they come apart."
    rows = {}
    for architecture in ("VAE", "HVAE"):
        c, kinds, refused = cell("static_mnist", architecture, "vampprior"), {}, []
        for kind, how in {"as it is": {"record": False}, "recorded": {}, "recorded, compiled": {"fuse": True}}.items():
            take = a_step(c, device, **how)
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always", RuntimeWarning)
                torch.manual_seed(0)
                for _ in range(3 if quick else 100): take()
            refused += [str(w.message) for w in told if w.category is RuntimeWarning]
            kinds[kind] = take, torch.cat([p.detach().flatten() for p in take.model.parameters()]), a_bound(take.model, device)
        seconds = timed([take for take, _, _ in kinds.values()], 2 if quick else 200)
        _, weights, bound = kinds["as it is"]
        rows[architecture] = {kind: {"ms": 1000 * s, "largest difference of a weight": (w - weights).abs().max().item(), "difference of the bound, nats": b - bound}
                              for (kind, (_, w, b)), s in zip(kinds.items(), seconds)} | {"refused": refused}
    return rows


@torch.no_grad()
def a_bound(model, device):
    torch.manual_seed(0)
    return model.terms(synthetic(100).to(device).batch("test")).elbo().mean().item()


def likelihood(device, quick):
    rows, x = {}, synthetic(20 if quick else 10_000).batch("test")
    for architecture in ("VAE", "HVAE"):
        for prior in ("standard", "vampprior"):
            model = build(cell("static_mnist", architecture, prior).config, synthetic(1 if prior == "standard" else 500)).to(device)
            log_likelihood(model, x[:10], 500, progress=False)         # warm up
            start = time.perf_counter()
            log_likelihood(model, x, 50 if quick else 5000, progress=False)
            rows[f"{architecture}, {prior}"] = {"images": len(x), "samples": 50 if quick else 5000, "seconds": time.perf_counter() - start}
    return rows


def some_epochs(device, n, images, me, jobs, meeting):
    "Train on synthetic images: an epoch to warm up, then, when all `jobs` processes have met in the folder `meeting`, n epochs; -> the seconds they took."
    c, device = cell("static_mnist", "HVAE", "vampprior"), torch.device(device)
    data = synthetic(images).to(device)
    data.valid = data.valid[:images // 5]
    model, config = build(c.config, data).to(device), c.config.train
    optimizer = torch.optim.Adam(model.parameters(), config.lr, fused=device.type in ("cpu", "cuda"))
    epoch = functools.partial(run_epoch, model, data, optimizer, config, step=quick_step(model, data, optimizer, config))
    epoch(0)
    Path(meeting, str(me)).touch()
    deadline = time.time() + 300
    while len(os.listdir(meeting)) < jobs:
        if time.time() > deadline: raise TimeoutError("a run beside this one did not get as far as this one")
        time.sleep(0.01)
    start = time.perf_counter()
    for i in range(1, n + 1): epoch(i)
    return time.perf_counter() - start


def side_by_side(device, quick):
    "Steps a second of all runs together (HVAE, VampPrior), {service: {runs: rate}}."
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")     # or each process would start a compiler on every core
    n, images, rates = (1, 300, {}) if quick else (2, 50_000, {})
    for service in (False, True):
        with shared_gpu(device, service) as running:
            if running == service:
                for jobs in (1, 2) if quick else (1, 4, 12):
                    with tempfile.TemporaryDirectory() as meeting, Parallel(n_jobs=max(2, jobs)) as pool:       # one alone would run in this process
                        seconds = pool(delayed(some_epochs)(str(device), n, images, me, jobs, meeting) for me in range(jobs))
                    rates.setdefault("MPS" if service else "no MPS", {})[str(jobs)] = jobs * n * images / 100 / max(seconds)
    return rates


@contextlib.contextmanager
def shared_gpu(device, wanted=True):
    "NVIDIA's multi-process service on a CUDA device, for the processes that start within; -> whether it runs (it comes with the driver, on Linux)."
    get_reusable_executor().shutdown(wait=True)            # processes from before would not be the service's
    control = shutil.which("nvidia-cuda-mps-control")
    if not (wanted and control and device.type == "cuda"): yield False; return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, patch.dict(os.environ, CUDA_MPS_PIPE_DIRECTORY=folder, CUDA_MPS_LOG_DIRECTORY=folder):
        running = subprocess.run([control, "-d"]).returncode == 0
        try: yield running
        finally:
            get_reusable_executor().shutdown(wait=True)
            if running: subprocess.run([control], input="quit -t 10\n", text=True, stdout=subprocess.DEVNULL, timeout=60)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--measure-only", action="store_true")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    try: device = pick_device(args.device)
    except ValueError as e: parser.error(e)
    path = args.out / "gpu.json"
    result = json.loads(path.read_text()) if path.exists() else {"quick": args.quick} | provenance(device)
    if (result["quick"], result["device"]) != (args.quick, provenance(device)["device"]): sys.exit(f"{path} holds measurements of {result['device']}{', quick ones' * result['quick']}. Move it away, or give another folder with --out")
    parts = {"a step": steps, "log-likelihood": likelihood, "steps a second": side_by_side}
    if not args.quick: parts["VampPrior : standard normal"] = lambda device, quick: ratios(device, 20)
    if args.jobs: del parts["steps a second"]
    for name, measure in parts.items():
        if name not in result: result[name] = measure(device, args.quick)
        write_json(path, result)
        print(f"{name}: {json.dumps(result[name])}", flush=True)
    if args.measure_only or args.quick: sys.exit()
    rates = {int(jobs): rate for service in result.get("steps a second", {}).values() for jobs, rate in service.items()}
    jobs = args.jobs or max(rates, key=rates.get)
    for name in ("table1_dense", "table1"):
        start = time.perf_counter()
        with shared_gpu(device): failures = reproduce(name, out=args.out, seeds=args.seeds, jobs=jobs, device=args.device)
        print(markdown_table(table(name, out=args.out)), *failures, f"{name}: {(time.perf_counter() - start) / 60:.0f} minutes, {jobs} runs at a time", sep="\n")
