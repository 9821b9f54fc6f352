"""Drawing an image pixel by pixel: D full passes of the PixelCNN against `draw_in_order`, which computes every feature once.

    python benchmarks/pixel_sampling.py

The paper's size, 28 x 28 pixels, 8 layers, 64 channels, at its starting weights. Both ways get the same noise and take turns; the ratio is the median over rounds. "the same
images" are counted in float32, where a coin may fall differently when the noise meets a probability to the last digits; "gap" is the largest difference of two logits (or
parameters) for one and the same image, from a full pass and from the features that were remembered.
"""
import argparse
import statistics
import time

import torch

from vampbook.pixelcnn import PixelCNN, draw_in_order


@torch.no_grad()
def draw_slowly(net, params, noise):
    "One full pass for each pixel."
    x = torch.zeros_like(noise)
    for i in range(x.shape[1]): x[:, i] = net.draw(net(x, params).view(len(x), -1, x.shape[1])[:, :, i], noise[:, i:i + 1])[:, 0]
    return x


@torch.no_grad()
def parameter_gap(net, params, noise):
    "Largest difference between the parameters that `draw_in_order` drew from and those of a full pass over its images."
    drawn, draw = [], net.draw
    net.draw = lambda pixel, u: drawn.append(pixel) or draw(pixel, u)
    x, net.draw = draw_in_order(net, params, noise), draw
    return (torch.stack(drawn, 2).flatten(1) - net(x, params)).abs().max().item()


@torch.no_grad()
def seconds(work, *args):
    start = time.perf_counter()
    result = work(*args)
    return time.perf_counter() - start, result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[1, 4], help="how many are drawn at once")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.rounds} rounds; times in s\n")
    print("| pixels | images at once | D full passes | remembered | ratio | wanted | the same images | gap |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for base in ("bernoulli", "logistic"):
        for n in args.images:
            torch.manual_seed(0)
            net, rounds, same = PixelCNN((1, 28, 28), base), [], 0
            for _ in range(args.rounds):
                work = net, torch.randn(n, 2 * 784), torch.rand(n, 784)
                (slow, x), (fast, y) = seconds(draw_slowly, *work), seconds(draw_in_order, *work)
                rounds.append((slow, fast, slow / fast))
                same += (x == y).all(1).sum().item()
            slow, fast, ratio = map(statistics.median, zip(*rounds))
            print(f"| {base} | {n} | {slow:.2f} | {fast:.2f} | {ratio:.1f} | ≥ 3 | {same} of {n * args.rounds} | {parameter_gap(*work):.0e} |", flush=True)


if __name__ == "__main__": main()
