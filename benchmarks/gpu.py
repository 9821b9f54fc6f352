"""For the owner of a GPU, to be started once: what it does in a second, and then Table 1, dense networks first.

    python benchmarks/gpu.py [--out runs] [--jobs N] [--measure-only]

Measures, and writes to OUT/gpu.json after each part: a training step as it is and recorded as a CUDA graph, and by how much the two differ; log p(x) of 10 000
images with 5 000 draws; how many epochs a second come out of 1, 2, 4, 8 runs side by side, as processes on one device. Then `vampbook reproduce table1` with
as many runs at a time as were fastest (or N). Everything goes on where it was cut short. `--device cpu --quick` tries the measurements, small, without a GPU.
"""
import argparse
import functools
import json
import sys
import time
import warnings
from pathlib import Path

import torch
from joblib import Parallel, delayed
from wall_clock import a_step, ratios, synthetic, timed

from vampbook.cli import markdown_table
from vampbook.evaluation import log_likelihood
from vampbook.experiments import build, provenance, write_json
from vampbook.recipes import cell, reproduce, table
from vampbook.training import Recorded, pick_device, recordable, run_epoch


def steps(device, quick):
    rows = {}
    for architecture in ("VAE", "HVAE"):
        c = cell("static_mnist", architecture, "vampprior")
        plain, recorded = a_step(c, device, record=False), a_step(c, device)
        ends = []
        with warnings.catch_warnings(record=True) as refused:
            warnings.simplefilter("always")
            for take in (plain, recorded):         # the same weights, batches and random numbers
                torch.manual_seed(0)
                for _ in range(3 if quick else 100): take()
                ends.append(torch.cat([p.detach().flatten() for p in take.model.parameters()]))
        bounds = [a_bound(take.model, device) for take in (plain, recorded)]
        seconds = timed([plain, recorded], 2 if quick else 200)
        rows[architecture] = {"ms": [1000 * s for s in seconds], "recorded": isinstance(recorded.step, Recorded) and not refused, "said": [str(w.message) for w in refused],
                              "largest difference of a weight": (ends[0] - ends[1]).abs().max().item(), "difference of the bound, nats": bounds[0] - bounds[1]}
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


def some_epochs(device, n, images, begin):
    "Train on synthetic images, an epoch to warm up, then n epochs from the moment `begin` on; -> the seconds they took."
    c, device = cell("static_mnist", "HVAE", "vampprior"), torch.device(device)
    data = synthetic(images).to(device)
    data.valid = data.valid[:images // 5]
    model, config = build(c.config, data).to(device), c.config.train
    optimizer = torch.optim.Adam(model.parameters(), config.lr, fused=device.type in ("cpu", "cuda"))
    step = Recorded(model, data, optimizer, config) if recordable(device, config) else None
    epoch = functools.partial(run_epoch, model, data, optimizer, config, step=step)
    epoch(0)
    late = time.time() - begin
    if late > 0: print(f"a process was {late:.0f} s late; the rate of its round is too high", file=sys.stderr)
    time.sleep(max(0, -late))
    start = time.perf_counter()
    for i in range(1, n + 1): epoch(i)
    return time.perf_counter() - start


def side_by_side(device, quick):
    n, images, rates = 1 if quick else 10, 300 if quick else 50_000, {}
    for jobs in (1, 2) if quick else (1, 2, 4, 8):
        begin = time.time() + (6 if quick else 60)           # by then all processes have imported, and warmed up
        with Parallel(n_jobs=jobs) as pool: rates[jobs] = jobs * n / max(pool(delayed(some_epochs)(str(device), n, images, begin) for _ in range(jobs)))
    return rates


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--measure-only", action="store_true")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    try: device = pick_device(args.device)
    except ValueError as e: parser.error(e)
    path = args.out / "gpu.json"
    result = json.loads(path.read_text()) if path.exists() else {"quick": args.quick} | provenance(device)
    if (result["quick"], result["device"]) != (args.quick, provenance(device)["device"]): sys.exit(f"{path} holds measurements of {result['device']}{', quick ones' * result['quick']}. Move it away, or give another folder with --out")
    parts = {"a step": lambda: steps(device, args.quick), "log-likelihood": lambda: likelihood(device, args.quick), "epochs a second, by runs at a time": lambda: side_by_side(device, args.quick)}
    if not args.quick: parts["VampPrior : standard normal"] = lambda: ratios(device, 50)
    for name, measure in parts.items():
        if name not in result: result[name] = measure()
        write_json(path, result)
        print(f"{name}: {json.dumps(result[name])}", flush=True)
    rates = {int(jobs): rate for jobs, rate in result["epochs a second, by runs at a time"].items()}
    jobs = args.jobs or max(rates, key=rates.get)
    if not (args.measure_only or args.quick):
        start = time.perf_counter()
        failures = reproduce("table1", out=args.out, jobs=jobs, device=args.device)
        print(markdown_table(table("table1", out=args.out)), *failures, f"{(time.perf_counter() - start) / 60:.0f} minutes, {jobs} runs at a time", sep="\n")
