"""Speed and memory of the book's rules. Speed as ratios: the works of a line in one process, rounds interleaved, medians over rounds.

    make bench                                  everything, with Pythae
    python benchmarks/bench.py --rounds 15      the same, in an environment of your own (without Pythae if it is not installed)

Milliseconds depend on the machine and its mood; a ratio compares neighbours in time. `wanted` is what the project asks for.
"""
import argparse
import importlib.util
import statistics
import subprocess
import sys
import time
from pathlib import Path

import textbook
import torch
from torch.utils.flop_counter import FlopCounterMode

from vampbook import VAE, DiagonalMixture, MLPDecoder, MLPEncoder, StandardNormal, TrainConfig, VampPrior, log_likelihood, log_normal
from vampbook.data import Dataset
from vampbook.training import train_epoch

PIXELS, LATENT, HIDDEN, K, BATCH, S = 784, 40, 300, 500, 100, 5000
STEPS = 10   # training steps, or matrix products, in one work
SHAPES = (1024, 1024, 1024), (600, 784, 600)   # n x k times k x m; the last is the encoder's first layer


def ms(work):
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def interleaved(rounds, **works):
    "-> for each round, the milliseconds of each work."
    for work in works.values():
        work()
    return [{name: ms(work) for name, work in works.items()} for _ in range(rounds)]


def row(what, rounds, n, wanted):
    "A line of the table: medians of the milliseconds for one of `n`, and of each one's ratio to ours in the same round."
    names = "ours", "textbook", "pythae"
    times = [f"{statistics.median(r[name] for r in rounds) / n:.3g}" if name in rounds[0] else "" for name in names]
    ratios = [f"{statistics.median(r[name] / r['ours'] for r in rounds):.2f}" if name in rounds[0] else "" for name in names[1:]]
    return [what, *times, *ratios, f"≥ {wanted}" if wanted else ""]


def digits_like(n):
    "Grey images with MNIST's share of ink; speed does not depend on what they show."
    generator = torch.Generator().manual_seed(0)
    ink = torch.rand(n, PIXELS, generator=generator) < 0.2
    return (ink * torch.randint(256, (n, PIXELS), generator=generator)).to(torch.uint8)


def model(prior):
    return VAE(MLPEncoder(PIXELS, LATENT, HIDDEN), MLPDecoder(LATENT, PIXELS, HIDDEN), prior)


def epochs(model, grey):
    "A function that runs the book's own training loop over `grey` once."
    config = TrainConfig(warmup=2)
    dataset = Dataset("bench", grey, grey, grey, (1, 28, 28), "bernoulli", True)
    optimizer = torch.optim.Adam(model.parameters(), config.lr, fused=True)   # as `fit` makes it
    return lambda: train_epoch(model, dataset, optimizer, config, 0)


def steps(generator):
    return lambda: [next(generator) for _ in range(STEPS)]


def step_flops(model, x):
    "Floating-point operations of the matrix products in one training step, forward and backward, as PyTorch counts them."
    with FlopCounterMode(display=False) as counter:
        model.terms(x).elbo().mean().backward()
    model.zero_grad()
    return counter.get_total_flops()


def training_step(rounds, pythae):
    grey = digits_like(STEPS * BATCH)
    ours, theirs = model(VampPrior.random(K, PIXELS)), textbook.TextbookVAE(PIXELS, LATENT, HIDDEN, K)
    works = {"ours": epochs(ours, grey), "textbook": steps(textbook.training_steps(theirs, grey / 255))}
    if pythae:
        works["pythae"] = steps(pythae.training_steps(pythae.make(PIXELS, LATENT, HIDDEN, K), grey / 255))
    return row(f"training step, VampPrior, K = {K}, batch of {BATCH}", interleaved(rounds, **works), STEPS, 2.2)


def gemm_share(rounds, pythae):
    "The same step against nothing but matrix products. The machine's rate is the best of several shapes."
    grey, ours = digits_like(STEPS * BATCH), model(VampPrior.random(K, PIXELS))
    flops = step_flops(ours, torch.bernoulli(grey[:BATCH] / 255))
    pairs = {(n, k, m): (torch.randn(n, k), torch.randn(k, m)) for n, k, m in SHAPES}
    products = {str(shape): lambda a=a, b=b: [a @ b for _ in range(3)] for shape, (a, b) in pairs.items()}
    timed = interleaved(2 * rounds, ours=epochs(ours, grey), **products)
    rates = [max(3 * 2 * n * k * m / r[str((n, k, m))] for n, k, m in SHAPES) for r in timed]
    shares = [STEPS * flops / r["ours"] / rate for r, rate in zip(timed, rates, strict=True)]
    step = statistics.median(r["ours"] for r in timed) / STEPS
    what = f"its share of {statistics.median(rates) / 1e6:.0f} GFLOP/s, the rate of matrix products"
    return [what, f"{step:.3g}", "", "", f"{statistics.median(shares):.2f}", "", "≥ 0.7"]


def likelihood_vampprior(rounds, pythae):
    x = torch.bernoulli(digits_like(2) / 255)   # two images, since the textbook takes the better part of a second for each
    ours, theirs = model(VampPrior.random(K, PIXELS)), textbook.TextbookVAE(PIXELS, LATENT, HIDDEN, K)
    works = {"ours": lambda: log_likelihood(ours, x, S, progress=False), "textbook": lambda: theirs.log_likelihood(x, S)}
    if pythae:
        other = pythae.make(PIXELS, LATENT, HIDDEN, K)
        works["pythae"] = lambda: pythae.log_likelihood(other, x, S)
    return row(f"log p(x) of an image, S = {S}, VampPrior", interleaved(rounds, **works), len(x), 14)


def likelihood_standard(rounds, pythae):
    x = torch.bernoulli(digits_like(2) / 255)
    ours, theirs = model(StandardNormal(LATENT)), textbook.TextbookVAE(PIXELS, LATENT, HIDDEN, 0)
    works = {"ours": lambda: log_likelihood(ours, x, S, progress=False), "textbook": lambda: theirs.log_likelihood(x, S)}
    return row(f"log p(x) of an image, S = {S}, standard normal", interleaved(rounds, **works), len(x), 2.5)


def mixture(n, what, build_anew):
    "log p(z) of `n` points: two matrix products against the broadcast."
    mu, logvar, z = torch.randn(K, LATENT), torch.randn(K, LATENT).clamp(-6, 2), torch.randn(n, LATENT)
    ready = DiagonalMixture(mu, logvar)
    def run(rounds, pythae):
        works = {"ours": lambda: (DiagonalMixture(mu, logvar) if build_anew else ready).log_prob(z),
                 "textbook": lambda: log_normal(z[:, None], mu, logvar).logsumexp(1)}
        return row(f"log p(z) of {n} points, {K} components: {what}", interleaved(3 * rounds, **works), 1, 20)
    return run


# Each in a process of its own: what one leaves behind in the memory allocator changes the time of the next.
ROWS = {"step": training_step, "share": gemm_share, "ll-vampprior": likelihood_vampprior, "ll-standard": likelihood_standard,
        "mixture-train": mixture(BATCH, "a training batch, mixture built anew", True), "mixture-eval": mixture(1000, "a pass of an evaluation", False)}


def memory_rows():
    "Each in a process of its own, since a process never forgets its peak. Linux only."
    for n, samples, wanted in ((20, 500, ""), (20, S, "the same"), (200, 500, "the same")):
        done = subprocess.run([sys.executable, __file__, "--memory", str(n), str(samples)], capture_output=True, text=True, check=True)
        yield [f"memory that log p(x) of {n} images, S = {samples}, adds at its peak (MB)", f"{float(done.stdout):.0f}", "", "", "", "", wanted]


def peak_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def memory(n, samples):
    "Peak of log_likelihood in MB, beyond that of the same call with two samples."
    vae, x = model(VampPrior.random(K, PIXELS)), torch.bernoulli(digits_like(n) / 255)
    log_likelihood(vae, x[:1], 2, progress=False)
    before = peak_mb()
    log_likelihood(vae, x, samples, progress=False)
    return peak_mb() - before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--row", choices=ROWS, help="print only this line of the table")
    parser.add_argument("--memory", type=int, nargs=2, metavar=("IMAGES", "SAMPLES"), help="print only the peak memory (MB) of one log_likelihood")
    args = parser.parse_args()
    torch.manual_seed(0)
    if args.memory:
        return print(memory(*args.memory))
    pythae = importlib.import_module("pythae_vamp") if importlib.util.find_spec("pythae") else None
    if args.row:
        return print("|", " | ".join(ROWS[args.row](args.rounds, pythae)), "|")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.rounds} rounds{'' if pythae else '; Pythae is not installed'}; times in ms\n")
    print("| what | ours | textbook | Pythae | textbook : ours | Pythae : ours | wanted |\n| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for name in ROWS:
        subprocess.run([sys.executable, __file__, "--row", name, "--rounds", str(args.rounds)], check=True)
    if sys.platform.startswith("linux"):
        for cells in memory_rows():
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
