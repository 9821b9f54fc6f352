"What the chapter on evaluation cannot show: peak memory in fresh processes, models gone wrong, one answer however the work is cut."
import itertools
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from vampbook.elbo import ElboTerms
from vampbook.evaluation import OneDNN, active_units, bits_per_dim, log_likelihood, log_mean_weight, mean_and_error, row_bytes, unit_activity
from vampbook.networks import MLPDecoder, MLPEncoder
from vampbook.priors import StandardNormal, VampPrior
from vampbook.vae import VAE, find_likelihood

PEAK = """
import json, sys, torch
from vampbook.evaluation import log_likelihood, pass_size, row_bytes
from vampbook.networks import MLPDecoder, MLPEncoder
from vampbook.priors import StandardNormal, VampPrior
from vampbook.vae import VAE

torch.set_num_threads(1)
D, hidden = 64, 8
prior = VampPrior(torch.rand(64, D)) if sys.argv[1] == "vampprior" else StandardNormal(2)
model = VAE(MLPEncoder(D, 2, hidden), MLPDecoder(2, D, hidden), prior)
x = torch.bernoulli(torch.rand(5000, D))

def peak(n_images, n_samples):  # the most memory this process has held so far, in MB
    ll = log_likelihood(model, x[:n_images], n_samples, memory_mb=2, progress=False)
    assert ll.shape == (n_images,) and torch.isfinite(ll).all()
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

_, samples = pass_size(row_bytes(model, D, *model.mixture().mu.shape), 50, 500, 2)
many = 500 + samples * (50_000 // samples)   # in passes of the same shapes: oneDNN keeps a compiled kernel for each shape
print(json.dumps([peak(50, 500), peak(50, many), peak(5000, 500)]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of a process from /proc/self/status")
@pytest.mark.parametrize("prior", ["standard", "vampprior"])
def test_peak_memory_does_not_grow(prior):
    "Not with 100 times the samples, nor with 100 times the images. A peak only ever rises, so the largest of the three is the last one."
    done = subprocess.run([sys.executable, "-c", PEAK, prior], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    small, more_samples, more_images = json.loads(done.stdout)
    # 4 MB are for the allocator, whose blocks shift by 1 or 2 from run to run. The 50 000 draws of one image at once would be 12 MB in each
    # of several arrays; 500 draws of all images, 600 MB; and results kept one by one have broken up the heap by 8 to 60 MB.
    assert more_samples - small < 4
    assert more_images - small < 4


@pytest.mark.parametrize("likelihood, n_pixels, n_components, at_least", [("bernoulli", 784, 1, 0.65), ("bernoulli", 784, 500, 0.65), ("bernoulli", 100, 2000, 0.7), ("bernoulli", 320, 200, 0.7), ("logistic", 560, 500, 0.7), ("gaussian", 560, 1, 0.3)])
def test_a_row_takes_what_is_reckoned(likelihood, n_pixels, n_components, at_least):
    "By PyTorch's own record of what is allocated and freed; and not much less, so that passes are not smaller than need be."
    outputs = n_pixels * find_likelihood(likelihood).n_params
    model = VAE(MLPEncoder(n_pixels, 40, 300), MLPDecoder(40, outputs, 300), VampPrior.random(n_components, n_pixels), likelihood)
    x = torch.rand(3, n_pixels)
    with torch.no_grad():
        prior = model.mixture()
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler: log_mean_weight(model, x, 200, 200, prior)
    events = sorted((e for e in profiler.profiler.kineto_results.events() if e.name() == "[memory]"), key=lambda e: e.start_ns())
    peak = max(itertools.accumulate(e.nbytes() for e in events)) / (3 * 200)
    assert at_least < peak / row_bytes(model, n_pixels, n_components, 40) < 1


FAULTS = """
import resource, torch
from vampbook.evaluation import keep_memory
keep_memory(16)
def turn():
    for _ in range(20): arrays = [torch.ones(500_000) for _ in range(3)]   # 2 MB each; six of them alive at most
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
before = turn()
print(turn() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about the C library of Linux")
def test_memory_is_kept():
    "The system supplies less than one of the sixty arrays anew, of 500 pages each; without `keep_memory` it would be up to all of them."
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 500


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch was built without oneDNN")
def test_every_dense_layer_goes_to_onednn():
    "In each pass the three of the encoder and the three of the decoder; the pseudo-inputs are encoded before."
    model = VAE(MLPEncoder(12, 2, 8), MLPDecoder(2, 12, 8), VampPrior(torch.rand(5, 12)))
    with profile(activities=[ProfilerActivity.CPU]) as profiler: log_likelihood(model, torch.zeros(3, 12), 10, progress=False)
    calls = {event.key: event.count for event in profiler.key_averages()}
    assert calls["aten::mkldnn_linear"] == 6 and calls["aten::linear"] == 3 + 6


@torch.no_grad()
def test_what_onednn_refuses_is_done_as_ever():
    layer, x = nn.Linear(4, 3), torch.rand(5, 2, 4)
    def everything():
        with torch.autocast("cpu", dtype=torch.bfloat16): low = layer(x)
        return [torch.func.vmap(layer)(x), low, nn.functional.linear(x, layer.weight[0])]
    plain = everything()
    with OneDNN(): torch.testing.assert_close(everything(), plain)
    with OneDNN(), pytest.raises(RuntimeError, match="shapes cannot be multiplied"): layer(x[..., :3])


@torch.no_grad()
def test_onednn_can_be_switched_off():
    layer, x = nn.Linear(4, 3), torch.rand(5, 4)
    def used():
        with profile(activities=[ProfilerActivity.CPU]) as profiler, OneDNN(): layer(x)
        return "aten::mkldnn_linear" in {event.key for event in profiler.key_averages()}
    assert used() == torch.backends.mkldnn.is_available()
    with torch.backends.mkldnn.flags(enabled=False): assert not used()


MATRICES = {"plain": torch.randn, "transposed": lambda n, m: torch.randn(m, n).T, "columns of a larger one": lambda n, m: torch.randn(n, m + 2)[:, 1:-1],
            "every second": lambda n, m: torch.randn(2 * n, 2 * m)[::2, ::2], "one row": lambda n, m: torch.randn(1, m).expand(n, m), "one column": lambda n, m: torch.randn(n, 1).expand(n, m)}
BIASES = {"none": lambda n: None, "plain": torch.randn, "a column": lambda n: torch.randn(n, 3)[:, 1], "one number": lambda n: torch.randn(1).expand(n), "no dimension": lambda n: torch.randn(())}

@torch.no_grad()
@pytest.mark.parametrize("bias", BIASES)
def test_onednn_reads_every_layout(bias):
    "oneDNN takes a bias for so many numbers in a row; one that is laid out otherwise must not reach it."
    for x, weight in itertools.product(MATRICES.values(), repeat=2):
        args = x(6, 8), weight(10, 8), BIASES[bias](10)
        with OneDNN(): ours = nn.functional.linear(*args)
        torch.testing.assert_close(ours, nn.functional.linear(*args), rtol=0, atol=1e-4)


def test_compiled_parts_stay_as_they_are():
    "A part that torch.compile has made is traced by the compiler, and oneDNN's tensors cannot be."
    model = VAE(MLPEncoder(12, 2, 8), MLPDecoder(2, 12, 8), StandardNormal(2))
    def score():
        torch.manual_seed(0)
        return log_likelihood(model, torch.zeros(3, 12), 10, progress=False)
    plain = score()
    torch._dynamo.reset()   # or a part compiled earlier would not be traced
    model.decoder = torch.compile(model.decoder, backend="eager", fullgraph=True)
    torch.testing.assert_close(score(), plain, rtol=0, atol=1e-4)


class Even:
    "A model that counts its draws; all weights of x are exp(value), which importance sampling must return exactly."
    def __init__(self, value): self.value, self.draws = value, 0
    def mixture(self): return StandardNormal(1).mixture()
    def terms(self, x, n_samples=1, prior=None):
        self.draws += n_samples * len(x)
        zeros = x.new_zeros(n_samples, len(x))
        return ElboTerms(zeros + x.sum(-1) + self.value, zeros, zeros)


@pytest.mark.parametrize("n_images", [1, 2, 7, 300])
@pytest.mark.parametrize("n_samples", [1, 2, 255, 257, 1000])
@pytest.mark.parametrize("memory_mb", [1e-6, 0.01, 0.5, 64])
def test_every_draw_counts_once(n_images, n_samples, memory_mb):
    if n_images * n_samples > 10_000 and memory_mb < 0.01: pytest.skip("one row a pass: the same again, only slower")
    x = torch.rand(n_images, 12, dtype=torch.float64)
    model = Even(-700.)
    ll = log_likelihood(model, x, n_samples, memory_mb, progress=False)
    assert model.draws == n_images * n_samples
    torch.testing.assert_close(ll, x.sum(-1) - 700, atol=1e-9, rtol=0)   # float64 near 700, a thousand additions


@pytest.mark.parametrize("value", [-1e5, -1000., 0., 1000., -math.inf])
def test_no_overflow_and_no_underflow(value):
    x = torch.zeros(3, 4, dtype=torch.float64)
    assert log_mean_weight(Even(value), x, 20, 7, None).tolist() == pytest.approx([value] * 3, abs=1e-9)


def test_single_precision_stays_single():
    x = torch.rand(20, 12)
    ll = log_likelihood(Even(-500.), x, 5000, 0.5, progress=False)
    assert ll.dtype == torch.float32
    torch.testing.assert_close(ll, x.sum(-1) - 500, atol=5e-4, rtol=0)   # floats near 500 are 3e-5 apart; some tens of them are added up


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_densities_that_are_no_numbers(value):
    with pytest.raises(ValueError, match="images 0 to 2"): log_likelihood(Even(value), torch.zeros(3, 4), 10, progress=False)


def test_the_broken_image_is_named():
    x = torch.zeros(40, 4)
    class Breaks(Even):
        def terms(self, x, n_samples=1, prior=None):
            self.value = torch.where(x.sum(-1) > 0, math.nan, 0.)
            return super().terms(x, n_samples, prior)
    x[33] = 1
    with pytest.raises(ValueError, match="images 33 to 33"): log_likelihood(Breaks(0.), x, 1, memory_mb=1e-6, progress=False)


@pytest.fixture
def vae():
    torch.manual_seed(0)
    return VAE(MLPEncoder(12, 3, 8), MLPDecoder(3, 12, 8), VampPrior(torch.rand(5, 12)))


def test_nan_weights(vae):
    for p in vae.encoder.parameters(): nn.init.constant_(p, math.nan)
    with pytest.raises(ValueError, match="NaN"): log_likelihood(vae, torch.zeros(3, 12), 10, progress=False)
    with pytest.raises(ValueError, match="not finite"): active_units(vae, torch.zeros(3, 12))


@pytest.mark.parametrize("x, words", [
    (torch.zeros(3, 12, dtype=torch.uint8), "dataset.batch"), (torch.zeros(12), r"\(12,\)"), (torch.zeros(3, 3, 4), "flat image"),
    (torch.zeros(0, 12), "at least"),
    (torch.full((3, 12), math.nan), "from nan"), (torch.full((3, 12), -math.inf), "from -inf"), (torch.full((3, 12), 255.), r"\[0, 1\].* to 255"),
    (torch.full((3, 12), -0.5), "from -0.5"), (torch.zeros(3, 13), "13 pixels")])
def test_bad_input(vae, x, words):
    for score in (lambda: log_likelihood(vae, x, 10, progress=False), lambda: unit_activity(vae, x)):
        with pytest.raises(ValueError, match=words): score()


@pytest.mark.parametrize("n_samples", [0, -5, 10.5, math.nan, "10"])
def test_no_samples(vae, n_samples):
    with pytest.raises(ValueError, match=f"at least 1; got {n_samples}"): log_likelihood(vae, torch.zeros(3, 12), n_samples, progress=False)


@pytest.mark.parametrize("memory_mb", [0, -5, math.nan, math.inf])
def test_no_memory(vae, memory_mb):
    with pytest.raises(ValueError, match=f"memory_mb must be a positive number; got {memory_mb}"): log_likelihood(vae, torch.zeros(3, 12), 10, memory_mb, progress=False)


def test_too_few_values(vae):
    with pytest.raises(ValueError, match="at least 2"): unit_activity(vae, torch.zeros(1, 12))
    with pytest.raises(ValueError, match="at least two"): mean_and_error(torch.zeros(1))


def test_the_model_is_left_alone(vae):
    "Evaluating changes no weight, leaves no gradient, and can be followed by training."
    before = {key: t.clone() for key, t in vae.state_dict().items()}
    ll = log_likelihood(vae, torch.zeros(3, 12), 10, progress=False)
    active_units(vae, torch.zeros(3, 12))
    assert all(torch.equal(before[key], t) for key, t in vae.state_dict().items()) and all(p.grad is None for p in vae.parameters())
    ll += 1   # an ordinary tensor
    vae.terms(torch.zeros(3, 12)).elbo().mean().backward()
    assert vae.prior.u.grad is not None


def test_a_seed_repeats_the_number(vae):
    def once():
        torch.manual_seed(3)
        return log_likelihood(vae, torch.ones(4, 12), 100, progress=False)
    assert torch.equal(once(), once())


def test_progress_counts_images(vae, capsys):
    log_likelihood(vae, torch.zeros(30, 12), 10, memory_mb=0.01)
    assert "30/30" in capsys.readouterr().err


def test_activity_in_slices(vae):
    "More images than go through the encoder at once."
    x = torch.rand(2500, 12)
    with torch.no_grad(): wanted = vae.encode(x)[0].double().var(0)
    torch.testing.assert_close(unit_activity(vae, x), wanted, atol=1e-9, rtol=1e-5)   # float32 means, whose last digit depends on the batch


def test_bits():
    assert bits_per_dim(-100 * math.log(2), 50) == pytest.approx(2, abs=1e-12)
