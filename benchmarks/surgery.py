"""Time and memory of elbo_surgery at full size: 60 000 images, 20 latents, 10 000 draws, on 2 threads.

    VAMPBOOK_DATA=... python benchmarks/surgery.py     the training images of MNIST; without VAMPBOOK_DATA random images of that size

Neither depends on what the images show or on how well the model is trained. `wanted` is what the project asks for. Linux only.
"""
import os
import time
from pathlib import Path

import torch

from vampbook import VAE, MLPDecoder, MLPEncoder, StandardNormal, VampPrior, elbo_surgery, load

N, PIXELS, LATENT, HIDDEN, DRAWS = 60_000, 784, 20, 300, 10_000


def resident_mb(name):
    "VmRSS: what the process holds now; VmHWM: the most it ever held."
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)) / 1024


def images():
    if "VAMPBOOK_DATA" not in os.environ: return "random images", (torch.rand(N, PIXELS) < 0.13).float()
    mnist = load("dynamic_mnist")
    return "MNIST", torch.cat([mnist.batch(split) for split in ("train", "valid")])


def main():
    torch.set_num_threads(2)
    torch.manual_seed(0)
    what, x = images()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {what}: {len(x)} x {PIXELS}, {LATENT} latents, {DRAWS} draws\n")
    print("| prior | time (s) | wanted | peak memory of the process (MB) | wanted | of these, images and all else before the call (MB) |\n| --- | --- | --- | --- | --- | --- |")
    for name, prior in (("standard normal", StandardNormal(LATENT)), ("VampPrior, K = 500", VampPrior.random(500, PIXELS))):
        model, before, start = VAE(MLPEncoder(PIXELS, LATENT, HIDDEN), MLPDecoder(LATENT, PIXELS, HIDDEN), prior), resident_mb("VmRSS"), time.perf_counter()
        elbo_surgery(model, x, DRAWS, progress=False)
        print(f"| {name} | {time.perf_counter() - start:.1f} | < 180 | {resident_mb('VmHWM'):.0f} | < 2000 | {before:.0f} |", flush=True)


if __name__ == "__main__": main()
