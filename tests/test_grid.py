"Structures, networks, priors, likelihoods and objectives combine freely: every valid combination trains two steps, evaluates, samples, saves and loads."
import itertools
from dataclasses import replace

import pytest
import torch

from vampbook.data import load
from vampbook.evaluation import log_likelihood
from vampbook.experiments import ExperimentConfig, TrainConfig, build
from vampbook.training import fit

PRIORS = "standard", "mog", "vampprior", "vampprior_data", "vampprior_weighted"
STRUCTURES = {"vae": {}, "tower": {"latent2": 2}, "hvae": {"structure": "hvae", "latent2": 2}}
NETWORKS, OBJECTIVES, LIKELIHOODS = ("gated", "tanh", "conv", "pixel"), ("elbo", "iwae", "dreg"), ("bernoulli", "logistic")


def configure(structure, network, prior, objective):
    train = TrainConfig(epochs=1, batch_size=10, objective=objective, n_samples=3, max_rows=20, warmup=0, device="cpu")   # 20 rows: two draws of ten images in a pass
    return ExperimentConfig(network=network, prior=prior, n_components=5, latent=3, hidden=8, hidden2=8, channels=4, train=train, **STRUCTURES[structure])


def refused(structure, network, prior):
    return (structure == "tower" and prior.startswith("vamp")) or (structure == "hvae" and network == "tanh")


@pytest.fixture(scope="module")
def datasets():
    digits = load("digits")
    few = replace(digits, train=digits.train[:20], valid=digits.valid[:10], test=digits.test[:4])
    return {"bernoulli": few, "logistic": replace(few, likelihood="logistic", dynamic=False)}


@pytest.mark.parametrize("structure,network,prior", list(itertools.product(STRUCTURES, NETWORKS, PRIORS)))
def test_combination(structure, network, prior, datasets, tmp_path):
    if refused(structure, network, prior):
        with pytest.raises(ValueError, match="the upper encoder reads no images|no networks of kind"): configure(structure, network, prior, "elbo")
        return
    for likelihood, objective in itertools.product(LIKELIHOODS, OBJECTIVES):
        dataset, config, folder = datasets[likelihood], configure(structure, network, prior, objective), tmp_path / f"{likelihood}-{objective}"
        model = build(config, dataset)
        start = {name: p.detach().clone() for name, p in model.named_parameters()}
        history = fit(model, dataset, config.train, folder, progress=False)
        assert len(history) == 1
        still = [name for name, p in model.named_parameters() if torch.equal(p, start[name])]
        assert not still, f"two steps left {still} where they were"
        x = dataset.batch("test")
        torch.manual_seed(0)
        ll = log_likelihood(model, x, 20, progress=False)
        images = model.sample(3)
        assert ll.shape == (4,) and torch.isfinite(ll).all() and images.shape == (3, 64) and ((images >= 0) & (images <= 1)).all()
        assert model.reconstruct(x).shape == x.shape
        again = build(config, dataset)
        fit(again, dataset, config.train, folder, progress=False)          # reads the checkpoint, and has nothing left to train
        torch.manual_seed(0)
        assert torch.equal(log_likelihood(again, x, 20, progress=False), ll)
