"""Memory and time of a training step with many draws, each in a process of its own.

    python benchmarks/iwae.py

A batch of 100 images of 784 pixels, the gated VAE with 40 latents and a VampPrior, `objective="iwae"`. "one walk": everything stays in memory for the gradient
(`max_rows` of all rows); "two walks": at most 5 000 rows at once, first for the weights, then for the gradient. The peak is that of several steps.
"""
import argparse
import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor

import torch
from bench import BATCH, K, PIXELS, digits_like, model

from vampbook import TrainConfig, VampPrior
from vampbook.iwae import climb


def step(n_samples, max_rows, repeats=3):
    "-> megabytes that steps add to the peak of the process, milliseconds of processor time per draw and image."
    vae, x = model(VampPrior.random(K, PIXELS)), digits_like(BATCH).float() / 255
    config = TrainConfig(objective="iwae", n_samples=n_samples, max_rows=max_rows)
    climb(vae, x, TrainConfig())
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    for _ in range(repeats):
        vae.zero_grad()
        climb(vae, x, config)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, (time.process_time() - start) / (repeats * n_samples * BATCH) * 1e3


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, nargs="+", default=[50, 200, 1000, 3000])
    parser.add_argument("--most-kept", type=int, default=200, help="do not try to keep more draws than this in memory")
    args = parser.parse_args()
    print(f"{torch.get_num_threads()} threads\n\n| k | one walk (MB) | two walks (MB) | one walk (processor ms a draw and image) | two walks |\n| --- | --- | --- | --- | --- |")
    for k in args.draws:
        cells = {}
        for name, max_rows in {"one": k * BATCH, "two": 5_000}.items():
            if name == "one" and k > args.most_kept: cells[name] = None; continue
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool: cells[name] = pool.submit(step, k, max_rows).result()
        memory, speed = ([f"{cell[i]:.{3 * i}f}" if cell else "not run" for cell in cells.values()] for i in (0, 1))
        print(f"| {k} | {' | '.join(memory + speed)} |", flush=True)
