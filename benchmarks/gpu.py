"""For the owner of a GPU, to be started once: what it does in a second, and then Table 1, dense networks first.

    python benchmarks/gpu.py [--out runs] [--jobs N] [--measure-only]

Measures, and writes to OUT/gpu.json after each part: a training step as it is and recorded as a CUDA graph, and by how much the two differ; log p(x) of 10 000
images with 5 000 draws; how many epochs a second come out of 1, 2, 4, 8 runs side by side, as processes on one device. Then `vampbook reproduce table1` with
as many runs at a time as were fastest (or N). Everything goes on where it was cut short. `--device cpu --quick` tries the script without a GPU.
"""
import argparse
import json
import time
from pathlib import Path

import torch
from joblib import Parallel, delayed
from wall_clock import a_step, ratios, synthetic, timed

from vampbook.cli import markdown_table
from vampbook.evaluation import log_likelihood
from vampbook.experiments import build, provenance, write_json
from vampbook.recipes import cell, reproduce, table
from vampbook.training import Recorded, pick_device, run_epoch, train_step


def steps(device, quick):
    rows = {}
    for architecture in ("VAE", "HVAE"):
        c = cell("static_mnist", architecture, "vampprior")
        plain, recorded = a_step(c, device, recorded=False), a_step(c, device)
        ends = []
        for take in (plain, recorded):         # the same weights, batches and random numbers
            torch.manual_seed(0)
            for _ in range(3 if quick else 100): take()
            ends.append(torch.cat([p.detach().flatten() for p in take.model.parameters()]))
        bounds = [a_bound(take.model, device) for take in (plain, recorded)]
        seconds = timed([plain, recorded], 2 if quick else 200)
        rows[architecture] = {"ms": [1000 * s for s in seconds], "largest difference of a weight": (ends[0] - ends[1]).abs().max().item(), "difference of the bound, nats": bounds[0] - bounds[1]}
    return rows


@torch.no_grad()
def a_bound(model, device):
    torch.manual_seed(0)
    return model.terms(synthetic(100).to(device).batch("test")).elbo().mean().item()


def likelihood(device, quick):
    rows, x = {}, synthetic(20 if quick else 10_000).batch("test")
    for architecture in ("VAE", "HVAE"):
        c = cell("static_mnist", architecture, "vampprior")
        model = build(c.config, synthetic(1)).to(device)
        log_likelihood(model, x[:10], 500, progress=False)         # warm up
        start = time.perf_counter()
        log_likelihood(model, x, 50 if quick else 5000, progress=False)
        rows[architecture] = {"images": len(x), "samples": 50 if quick else 5000, "seconds": time.perf_counter() - start}
    return rows


def some_epochs(device, n, images):
    "Seconds of n epochs on synthetic images, after one to warm up."
    c, device = cell("static_mnist", "HVAE", "vampprior"), torch.device(device)
    data = synthetic(images).to(device)
    model = build(c.config, data).to(device)
    optimizer = torch.optim.Adam(model.parameters(), c.config.train.lr, fused=device.type in ("cpu", "cuda"), capturable=device.type == "cuda")
    step = Recorded() if device.type == "cuda" else train_step
    run_epoch(model, data, optimizer, c.config.train, 0, step=step)
    start = time.perf_counter()
    for epoch in range(1, n + 1): run_epoch(model, data, optimizer, c.config.train, epoch, step=step)
    return time.perf_counter() - start


def side_by_side(device, quick):
    n, images, rates = 1 if quick else 5, 300 if quick else 50_000, {}
    for jobs in (1, 2) if quick else (1, 2, 4, 8):
        with Parallel(n_jobs=jobs) as pool: rates[jobs] = jobs * n / max(pool(delayed(some_epochs)(str(device), n, images) for _ in range(jobs)))
    return rates


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--measure-only", action="store_true")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    device = pick_device(args.device)
    path = args.out / "gpu.json"
    result = json.loads(path.read_text()) if path.exists() else provenance(device)
    parts = {"a step": lambda: steps(device, args.quick), "log-likelihood": lambda: likelihood(device, args.quick), "epochs a second, by runs at a time": lambda: side_by_side(device, args.quick)}
    if not args.quick: parts["VampPrior : standard normal"] = lambda: ratios(device, 50)
    for name, measure in parts.items():
        if name not in result: result[name] = measure()
        write_json(path, result)
        print(f"{name}: {json.dumps(result[name])}", flush=True)
    rates = {int(jobs): rate for jobs, rate in result["epochs a second, by runs at a time"].items()}
    jobs = args.jobs or max(rates, key=rates.get)
    if not args.measure_only:
        start = time.perf_counter()
        failures = reproduce("table1", out=args.out, jobs=jobs, device=args.device)
        print(markdown_table(table("table1", out=args.out)), *failures, f"{(time.perf_counter() - start) / 60:.0f} minutes, {jobs} runs at a time", sep="\n")
