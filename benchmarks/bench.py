"""Speed and memory of the book's rules. Speed as ratios: the works of a line take turns, medians over rounds.

    make bench                                  everything, with Pythae
    python benchmarks/bench.py --rounds 15      the same, in an environment of your own (without Pythae if it is not installed)
    python benchmarks/bench.py --one-process    the works of a line share a process, and so the state of its memory allocator

Milliseconds depend on the machine and its mood; a ratio compares neighbours in time. `wanted` is what the project asks for.
"""
import argparse
import functools
import multiprocessing
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import textbook
import torch
from torch.utils.flop_counter import FlopCounterMode

from vampbook import VAE, DiagonalMixture, MLPDecoder, MLPEncoder, StandardNormal, TrainConfig, VampPrior, evaluation, log_likelihood, log_normal
from vampbook.data import Dataset
from vampbook.training import LONG, quick_step, train_epoch

PIXELS, LATENT, HIDDEN, K, BATCH, S = 784, 40, 300, 500, 100, 5000
STEPS = 10   # training steps in one work
SHAPES = (1024, 1024, 1024), (600, 784, 600)   # n x k times k x m; the last is the encoder's first layer
PRODUCTS, CALLS = 30, 50   # matrix products, or mixture densities, in one work


def digits_like(n):
    "Grey images with MNIST's share of ink; speed does not depend on what they show."
    generator = torch.Generator().manual_seed(0)
    ink = torch.rand(n, PIXELS, generator=generator) < 0.2
    return (ink * torch.randint(256, (n, PIXELS), generator=generator)).to(torch.uint8)


def model(prior):
    return VAE(MLPEncoder(PIXELS, LATENT, HIDDEN), MLPDecoder(LATENT, PIXELS, HIDDEN), prior)


def pythae():
    import pythae_vamp
    return pythae_vamp, pythae_vamp.make(PIXELS, LATENT, HIDDEN, K)


# The works. Each function below returns what is timed; it is called once, in the process that does the timing.

def epochs(run, normalize=False):
    "The book's own training loop, STEPS batches, as `fit` takes them in a run of `run` steps. The yardsticks do not normalise gradients."
    vae, grey = model(VampPrior.random(K, PIXELS)), digits_like(STEPS * BATCH)
    config = TrainConfig(warmup=2, epochs=run // STEPS, normalize_gradients=normalize)
    dataset = Dataset("bench", grey, grey, grey, (1, 28, 28), "bernoulli", True)
    optimizer = torch.optim.Adam(vae.parameters(), config.lr, fused=True)   # as `fit` makes it
    step = quick_step(vae, dataset, optimizer, config)
    return lambda: train_epoch(vae, dataset, optimizer, config, 0, step=step)


def textbook_steps(compiled=False):
    vae = textbook.TextbookVAE(PIXELS, LATENT, HIDDEN, K)
    if compiled: vae.loss = torch.compile(vae.loss, dynamic=False)
    generator = textbook.training_steps(vae, digits_like(STEPS * BATCH) / 255)
    return lambda: [next(generator) for _ in range(STEPS)]


def pythae_steps():
    module, vae = pythae()
    generator = module.training_steps(vae, digits_like(STEPS * BATCH) / 255)
    return lambda: [next(generator) for _ in range(STEPS)]


def products(n, k, m):
    a, b = torch.randn(n, k), torch.randn(k, m)
    return lambda: [a @ b for _ in range(PRODUCTS)]


def binary(n):
    return torch.bernoulli(digits_like(n) / 255)


def likelihood(n, prior):
    vae, x = model(prior), binary(n)
    return lambda: log_likelihood(vae, x, S, progress=False)


def textbook_likelihood(n, components):
    vae, x = textbook.TextbookVAE(PIXELS, LATENT, HIDDEN, components), binary(n)
    return lambda: vae.log_likelihood(x, S)


def pythae_likelihood(n):
    (module, vae), x = pythae(), binary(n)
    return lambda: module.log_likelihood(vae, x, S)


def mixture_input(n):
    return torch.randn(K, LATENT), torch.randn(K, LATENT).clamp(-6, 2), torch.randn(n, LATENT)


def mixture(n, anew):
    "Two matrix products."
    mu, logvar, z = mixture_input(n)
    ready = DiagonalMixture(mu, logvar)
    return lambda: [(DiagonalMixture(mu, logvar) if anew else ready).log_prob(z) for _ in range(CALLS)]


def textbook_mixture(n):
    "The broadcast."
    mu, logvar, z = mixture_input(n)
    return lambda: [log_normal(z[:, None], mu, logvar).logsumexp(1) for _ in range(CALLS)]


# A line of the table: its text, the ratio that is wanted, and its works with how many images, steps, ... each of them does.
FEW, MANY = 2, 20   # images; the textbook takes the better part of a second for each
LINES = {
    "step": (f"training step, VampPrior, K = {K}, batch of {BATCH}, in a long run (compiled)", 2.2, {
        "ours": (lambda: epochs(LONG), STEPS), "textbook": (textbook_steps, STEPS), "pythae": (pythae_steps, STEPS)}),
    "step-short": (f"the same in a run of less than {LONG:_} steps, or without a C++ compiler", None, {
        "ours": (lambda: epochs(STEPS), STEPS), "textbook": (textbook_steps, STEPS), "pythae": (pythae_steps, STEPS)}),
    "step-both": ("the same in a long run, the textbook compiled too", None, {
        "ours": (lambda: epochs(LONG), STEPS), "textbook": (lambda: textbook_steps(True), STEPS)}),
    "step-normalized": ("the same in a long run, with normalised gradients, which the yardsticks do not have", None, {
        "ours": (lambda: epochs(LONG, True), STEPS), "textbook": (textbook_steps, STEPS), "pythae": (pythae_steps, STEPS)}),
    "share": ("the compiled step's share of {rate:.0f} GFLOP/s, the rate of matrix products", 0.7, {
        "ours": (lambda: epochs(LONG), STEPS), **{str(s): (functools.partial(products, *s), PRODUCTS) for s in SHAPES}}),
    "ll-vampprior": (f"log p(x) of an image, S = {S}, VampPrior", 14, {
        "ours": (lambda: likelihood(MANY, VampPrior.random(K, PIXELS)), MANY), "textbook": (lambda: textbook_likelihood(FEW, K), FEW), "pythae": (lambda: pythae_likelihood(FEW), FEW)}),
    "ll-standard": (f"log p(x) of an image, S = {S}, standard normal", 2.5, {
        "ours": (lambda: likelihood(MANY, StandardNormal(LATENT)), MANY), "textbook": (lambda: textbook_likelihood(FEW, 0), FEW)}),
    "mixture-batch": (f"log p(z) of {BATCH} points, {K} components: a training batch", 20, {
        "ours": (lambda: mixture(BATCH, False), CALLS), "textbook": (lambda: textbook_mixture(BATCH), CALLS)}),
    "mixture-anew": ("the same, with the building of the mixture, once a step", None, {
        "ours": (lambda: mixture(BATCH, True), CALLS), "textbook": (lambda: textbook_mixture(BATCH), CALLS)}),
    "mixture-eval": (f"log p(z) of 1000 points, {K} components: a pass of an evaluation", 20, {
        "ours": (lambda: mixture(1000, False), CALLS), "textbook": (lambda: textbook_mixture(1000), CALLS)}),
}


@functools.cache
def work(line, name):
    torch.manual_seed(0)
    return LINES[line][2][name][0]()


def ms(line, name):
    "Milliseconds for one image, step, ... The turn before wakes threads and caches, which takes up to 10 ms: as long as the shortest work."
    run = work(line, name)
    run()
    start = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - start) / LINES[line][2][name][1]


def interleaved(line, rounds, one_process):
    """-> for each round, the milliseconds of each work.

    Each round has new processes, since it is luck how the first arrays of a process lie, and whether the C library can give the later ones' memory back to the system. The second of two turns counts,
    so that in one process each work comes after all others."""
    names = [name for name in LINES[line][2] if name != "pythae" or find_spec("pythae")]
    spawn = multiprocessing.get_context("spawn")
    timed = []
    for _ in range(rounds):
        with ExitStack() as stack:
            pool = lambda: stack.enter_context(ProcessPoolExecutor(1, mp_context=spawn))
            shared = pool()
            pools = {name: shared if one_process else pool() for name in names}
            for _ in range(2): turn = {name: pools[name].submit(ms, line, name).result() for name in names}
            timed.append(turn)
    return timed


def row(line, rounds, one_process):
    "A line of the table: medians of the times, and of each one's ratio to ours in the same round."
    what, wanted, _ = LINES[line]
    timed = interleaved(line, rounds, one_process)
    names = "ours", "textbook", "pythae"
    times = [f"{statistics.median(r[name] for r in timed):.3g}" if name in timed[0] else "" for name in names]
    ratios = [f"{statistics.median(r[name] / r['ours'] for r in timed):.2f}" if name in timed[0] else "" for name in names[1:]]
    if line == "share":   # against nothing but matrix products, at the best rate of several shapes
        rates = [max(2 * n * k * m / r[str((n, k, m))] for n, k, m in SHAPES) for r in timed]
        what, flops = what.format(rate=statistics.median(rates) / 1e6), step_flops()
        ratios[0] = f"{statistics.median(flops / r['ours'] / rate for r, rate in zip(timed, rates, strict=True)):.2f}"
    return [what, *times, *ratios, f"≥ {wanted}" if wanted else ""]


def step_flops():
    "Floating-point operations of the matrix products in one training step, forward and backward, as PyTorch counts them."
    vae = model(VampPrior.random(K, PIXELS))
    with FlopCounterMode(display=False) as counter:
        vae.terms(binary(BATCH)).elbo().mean().backward()
    return counter.get_total_flops()


def peak_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def memory(n, samples):
    "Peak of log_likelihood in MB, beyond that of the same call with two samples of one image."
    torch.manual_seed(0)
    vae, x = model(VampPrior.random(K, PIXELS)), binary(n)
    log_likelihood(vae, x[:1], 2, progress=False)
    before = peak_mb()
    log_likelihood(vae, x, samples, progress=False)
    return peak_mb() - before


def page_faults(hint):
    "Pages that the system supplies for log p(x) of an image, once a first call has warmed up; without `keep_memory` if not `hint`."
    import resource
    from unittest import mock
    run = likelihood(MANY, VampPrior.random(K, PIXELS))
    with mock.patch.object(evaluation, "keep_memory", evaluation.keep_memory if hint else lambda mb: None):
        run()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        run()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / MANY


def faults_row():
    with_hint, without = (alone(page_faults, hint) for hint in (True, False))
    return [f"pages supplied anew for log p(x) of an image, S = {S}, VampPrior; without `keep_memory`: {without:.0f}", f"{with_hint:.0f}", "", "", "", "", ""]


def alone(work, *args):
    "The result of work(*args), from a process of its own."
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool: return pool.submit(work, *args).result()


def memory_row(n, samples):
    "In a process of its own, since a process never forgets its peak. Linux only."
    return [f"memory that log p(x) of {n} images, S = {samples}, adds at its peak (MB)", f"{alone(memory, n, samples):.0f}", "", "", "", "", ""]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--line", choices=LINES, help="print only this line of the table")
    parser.add_argument("--one-process", action="store_true", help="all works of a line in the same process of a round, instead of one each")
    args = parser.parse_args()
    processes = "one new process a round" if args.one_process else "a new process for each work and round"
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.rounds} rounds, {processes}{'' if find_spec('pythae') else '; Pythae is not installed'}; times in ms\n")
    print("| what | ours | textbook | Pythae | textbook : ours | Pythae : ours | wanted |\n| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for line in [args.line] if args.line else LINES:
        print("|", " | ".join(row(line, args.rounds, args.one_process)), "|", flush=True)
    if sys.platform.startswith("linux") and not args.line:
        for n, samples in (20, 500), (20, S), (200, 500):
            print("|", " | ".join(memory_row(n, samples)), "|", flush=True)
        print("|", " | ".join(faults_row()), "|", flush=True)


if __name__ == "__main__":
    main()
