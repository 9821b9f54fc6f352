"""What compiled operations gain on a CPU: training steps of Table 1's models with a VampPrior (K = 500, 28 x 28 pixels, batches of 100), as they are and as `fit` takes them in a long run.

    python benchmarks/compiled.py [--out FOLDER]

The two take turns; times are medians. Before that, both take the same steps from the same weights with the same random numbers, and are compared. With --out, a record for
`vampbook.experiments.study` is left in FOLDER.
"""
import argparse
import os
import time
import warnings

os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"      # or a second time the compiler would find its work done

import torch
from wall_clock import a_step, timed

from vampbook.experiments import provenance, save_study
from vampbook.recipes import cell

STEPS = {"VAE": 100, "HVAE": 100, "ConvHVAE": 5, "PixelHVAE": 5}


def gain(architecture, steps):
    "Times of a plain and a compiled step, seconds that compiling takes, and how far apart `steps` steps lead."
    works = [a_step(cell("static_mnist", architecture, "vampprior"), torch.device("cpu"), fuse=fuse) for fuse in (False, True)]
    first = []
    for take in works:
        torch.manual_seed(0)
        take()                                      # Adam makes its moments
        start = time.perf_counter()
        take()                                      # the compiler works
        first.append(time.perf_counter() - start)
        for _ in range(steps - 2): take()
    ends = [torch.cat([p.detach().flatten() for p in take.model.parameters()]) for take in works]
    plain, compiled = timed(works, max(10, steps // 2))
    return {"model": architecture, "plain": plain, "compiled": compiled, "seconds to compile": first[1] - first[0],
            "steps": steps, "largest difference of a weight": (ends[1] - ends[0]).abs().max().item()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out")
    args = parser.parse_args()
    warnings.simplefilter("error", RuntimeWarning)       # what cannot be compiled is not to be recorded as compiled
    rows = []
    for architecture, steps in STEPS.items():
        rows.append(gain(architecture, steps))
        print(rows[-1], flush=True)
    if args.out: save_study(args.out, "cpu", {"rows": rows, "threads": torch.get_num_threads()} | provenance(torch.device("cpu")))
