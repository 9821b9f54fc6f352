"""What a VampPrior costs in time: training steps with it, over training steps with N(0, I) (Tomczak & Welling, section 8.4.2).

    python benchmarks/wall_clock.py [--device cpu] [--rounds 3] [--out FOLDER]

The models are those of Table 1 for images of 28 x 28 pixels, batches of 100, with K = 500 (the paper's MNIST) and 1000 (its OMNIGLOT). A round times one step of each in turn; the ratio is of medians.
With --out, a record for `vampbook.experiments.study` is left in FOLDER.
"""
import argparse
import functools
import statistics
import time

import torch

from vampbook.data import Dataset
from vampbook.experiments import build, provenance, save_study
from vampbook.recipes import cell
from vampbook.training import Recorded, capture_for, fused, pick_device, train_step

PAPER = {("HVAE", 500): 1.4, ("HVAE", 1000): 1.4, ("ConvHVAE", 500): 1.9, ("ConvHVAE", 1000): 2.1, ("PixelHVAE", 500): 1.4, ("PixelHVAE", 1000): 1.7}


def synthetic(n):
    "Black and white images with MNIST's share of ink; speed does not depend on what they show."
    ink = (torch.rand(n, 784, generator=torch.Generator().manual_seed(0)) < 0.13).to(torch.uint8)
    return Dataset("static_mnist", ink, ink, ink, (1, 28, 28), "bernoulli", False)


def a_step(c, device, record=True, fuse=False):
    "A function that takes one training step of the model of `Cell` c, and waits for it; its `model`, and the `step` behind it; recorded on a GPU if `record`, its operations compiled if `fuse`."
    data, index, config = synthetic(100).to(device), torch.arange(100, device=device), c.config.train
    model = build(c.config, data).to(device)
    optimizer = torch.optim.Adam(model.parameters(), config.lr, fused=device.type in ("cpu", "cuda"))
    plain = functools.partial(train_step, model, data, optimizer, config)
    def take():
        bounds = take.step(index, 1.0)
        if device.type == "cuda": torch.cuda.synchronize()
        return bounds
    capture = capture_for(device, config) if fuse or record and device.type == "cuda" else None
    take.model, take.step = model, Recorded(model, data, optimizer, config, [fused] * fuse, capture) if capture else plain
    return take


def timed(works, rounds):
    "Medians of the seconds that each of `works` takes, which take turns; the first turn does not count."
    seconds = [[] for _ in works]
    for _ in range(rounds + 1):
        for work, spent in zip(works, seconds):
            start = time.perf_counter()
            work()
            spent.append(time.perf_counter() - start)
    return [statistics.median(spent[1:]) for spent in seconds]


def ratios(device, rounds):
    rows = []
    for architecture, K in [("VAE", 500), ("VAE", 1000), *PAPER]:
        works = [a_step(cell("static_mnist", architecture, prior, n_components=K), device) for prior in ("standard", "vampprior")]
        standard, vampprior = timed(works, rounds)
        rows.append({"model": architecture, "K": K, "standard": standard, "vampprior": vampprior, "ratio": vampprior / standard, "paper": PAPER.get((architecture, K))})
        print(f"{architecture:10} K = {K:4}: {1000 * standard:8.1f} ms, with the VampPrior {1000 * vampprior:8.1f} ms, ratio {vampprior / standard:.2f}, paper {PAPER.get((architecture, K), '-')}", flush=True)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out")
    args = parser.parse_args()
    try: device = pick_device(args.device)
    except ValueError as e: parser.error(e)
    rows = ratios(device, args.rounds)
    if args.out: save_study(args.out, device.type, {"rows": rows, "rounds": args.rounds} | provenance(device))
