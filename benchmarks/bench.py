"""Speed of the book's rules, as ratios measured in one process, rounds interleaved, medians.

    make bench                                  everything, with Pythae
    python benchmarks/bench.py --rounds 15      the same, in an environment of your own (without Pythae if it is not installed)

Milliseconds depend on the machine and its mood; a ratio compares neighbours in time. `wanted` is what the project asks for.
"""
import argparse
import statistics
import time

import textbook
import torch
from torch import nn

from vampbook import DiagonalMixture, MLPDecoder, MLPEncoder, StandardNormal, TrainConfig, VAE, VampPrior, log_likelihood, log_normal
from vampbook.data import Dataset
from vampbook.training import train_epoch

PIXELS, LATENT, HIDDEN, K, BATCH, S = 784, 40, 300, 500, 100, 5000


def ms(work):
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def interleaved(rounds, **works):
    "Medians over `rounds` of the milliseconds of each work, and of each one's ratio to `ours` in the same round."
    for work in works.values():
        work()
    times = [{name: ms(work) for name, work in works.items()} for _ in range(rounds)]
    median = {name: statistics.median(t[name] for t in times) for name in works}
    ratio = {name: statistics.median(t[name] / t["ours"] for t in times) for name in works if name != "ours"}
    return median, ratio


def digits_like(n):
    "Grey images with MNIST's share of ink; speed does not depend on what they show."
    generator = torch.Generator().manual_seed(0)
    ink = torch.rand(n, PIXELS, generator=generator) < 0.2
    return (ink * torch.randint(256, (n, PIXELS), generator=generator)).to(torch.uint8)


def model(prior):
    return VAE(MLPEncoder(PIXELS, LATENT, HIDDEN), MLPDecoder(LATENT, PIXELS, HIDDEN), prior)


def epochs(model, grey, config=TrainConfig(warmup=2)):
    "A function that runs the book's own training loop over `grey`; called with a new one each time."
    dataset = Dataset("bench", grey, grey, grey, (1, 28, 28), "bernoulli", True)
    optimizer = torch.optim.Adam(model.parameters(), config.lr, fused=True)
    return lambda: train_epoch(model, dataset, optimizer, config, 0)


def steps(generator, n):
    return lambda: [next(generator) for _ in range(n)]


def matmul_flops(model, x):
    "Floating-point operations of the linear layers in one training step: forward, gradient of the weights, gradient of the inputs."
    total = 0

    def count(layer, args, output):
        nonlocal total
        total += 3 * 2 * args[0].numel() * layer.out_features

    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, nn.Linear)]
    model.terms(x)
    for hook in hooks:
        hook.remove()
    return total


def rows(rounds, pythae):
    grey = digits_like(1000)
    images, n = grey / 255, len(grey) // BATCH
    x = torch.bernoulli(images)

    # one training step, with a VampPrior
    ours, theirs = model(VampPrior.random(K, PIXELS)), textbook.TextbookVAE(PIXELS, LATENT, HIDDEN, K)
    a, b = torch.randn(2, 1024, 1024)
    works = {"ours": epochs(ours, grey), "textbook": steps(textbook.training_steps(theirs, images), n), "gemm": lambda: [a @ b for _ in range(n)]}
    if pythae:
        other = pythae.make(PIXELS, LATENT, HIDDEN, K)
        works["Pythae"] = steps(pythae.training_steps(other, images), n)
    median, ratio = interleaved(rounds, **works)
    share = matmul_flops(ours, x[:BATCH]) / (2 * 1024 ** 3) * ratio["gemm"]
    yield f"training step, VampPrior K = {K} (ms)", median, ratio, n, 2.2
    yield "share of the GEMM rate in that step", {}, {"GEMM": share}, 1, 0.7

    # log-likelihood of one image, S = 5000
    m = 4
    works = {"ours": lambda: log_likelihood(ours, x[:m], S, progress=False), "textbook": lambda: theirs.log_likelihood(x[:m], S)}
    if pythae:
        works["Pythae"] = lambda: pythae.log_likelihood(other, x[:m], S)
    yield f"log p(x) of an image, S = {S}, VampPrior (ms)", *interleaved(max(3, rounds // 3), **works), m, 14
    ours, theirs = model(StandardNormal(LATENT)), textbook.TextbookVAE(PIXELS, LATENT, HIDDEN, 0)
    works = {"ours": lambda: log_likelihood(ours, x[:m], S, progress=False), "textbook": lambda: theirs.log_likelihood(x[:m], S)}
    yield f"log p(x) of an image, S = {S}, standard normal (ms)", *interleaved(rounds, **works), m, 2.5

    # the mixture's log-density alone
    z, mu, logvar = torch.randn(BATCH, LATENT), torch.randn(K, LATENT), torch.randn(K, LATENT).clamp(-6, 2)
    mixture = DiagonalMixture(mu, logvar)
    broadcast = lambda: log_normal(z[:, None], mu, logvar).logsumexp(1)
    yield f"log p(z) of {BATCH} points under {K} components (ms)", *interleaved(10 * rounds, ours=lambda: mixture.log_prob(z), textbook=broadcast), 1, 20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    torch.manual_seed(0)
    try:
        import pythae_vamp as pythae
    except ImportError:
        pythae = None
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.rounds} rounds" + ("" if pythae else "; Pythae is not installed"))
    print("| what | ours | textbook | Pythae | textbook : ours | Pythae : ours | wanted |\n| --- | --- | --- | --- | --- | --- | --- |")
    for what, median, ratio, n, wanted in rows(args.rounds, pythae):
        cells = [f"{median[k] / n:.3g}" if k in median else "" for k in ("ours", "textbook", "Pythae")]
        ratios = [f"{ratio[k]:.2f}" if k in ratio else "" for k in ("textbook", "Pythae")] if "GEMM" not in ratio else [f"{ratio['GEMM']:.2f}", ""]
        print("|", " | ".join([what, *cells, *ratios, f">= {wanted}"]), "|", flush=True)


if __name__ == "__main__":
    main()
