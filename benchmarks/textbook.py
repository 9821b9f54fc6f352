"""The yardstick: a VAE with a VampPrior the way tutorials and the paper's published code write it.

Same mathematics and networks as the book's, none of its speed rules: a DataLoader feeds float images, the prior is a K x B x M broadcast,
the pseudo-inputs are encoded again for every minibatch and every chunk of samples, the decoder returns probabilities, and the
log-likelihood goes one image at a time in chunks of 100 samples.
"""
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class GatedDense(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.h, self.g = nn.Linear(n_in, n_out), nn.Linear(n_in, n_out)

    def forward(self, x):
        return self.h(x) * torch.sigmoid(self.g(x))


def log_normal_diag(z, mu, logvar):
    return (-0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / torch.exp(logvar))).sum(-1)


def log_bernoulli(x, probs):
    probs = torch.clamp(probs, 1e-5, 1 - 1e-5)
    return (x * torch.log(probs) + (1 - x) * torch.log(1 - probs)).sum(-1)


class TextbookVAE(nn.Module):
    def __init__(self, n_pixels=784, latent=40, hidden=300, n_components=500):
        super().__init__()
        self.n_components = n_components       # 0: standard normal prior
        self.q_layers = nn.Sequential(GatedDense(n_pixels, hidden), GatedDense(hidden, hidden))
        self.q_mean, self.q_logvar = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.p_layers = nn.Sequential(GatedDense(latent, hidden), GatedDense(hidden, hidden))
        self.p_mean = nn.Linear(hidden, n_pixels)
        if n_components:
            self.means = nn.Sequential(nn.Linear(n_components, n_pixels, bias=False), nn.Hardtanh(0.0, 1.0))
            self.means[0].weight.data.normal_(0.05, 0.01)
            self.register_buffer("idle_input", torch.eye(n_components))

    def q_z(self, x):
        h = self.q_layers(x)
        return self.q_mean(h), torch.clamp(self.q_logvar(h), -6.0, 2.0)

    def log_p_z(self, z):
        if not self.n_components:
            return log_normal_diag(z, torch.zeros_like(z), torch.zeros_like(z))
        mu, logvar = self.q_z(self.means(self.idle_input))
        a = log_normal_diag(z.unsqueeze(1), mu.unsqueeze(0), logvar.unsqueeze(0)) - math.log(self.n_components)
        return torch.logsumexp(a, 1)

    def loss(self, x, beta=1.0, average=True):
        mu, logvar = self.q_z(x)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        re = log_bernoulli(x, torch.sigmoid(self.p_mean(self.p_layers(z))))
        kl = log_normal_diag(z, mu, logvar) - self.log_p_z(z)
        loss = -re + beta * kl
        return loss.mean() if average else loss

    def log_likelihood(self, images, n_samples=5000, chunk=100):
        result = []
        with torch.no_grad():
            for x in images:
                a = [-self.loss(x.expand(chunk, -1), average=False) for _ in range(n_samples // chunk)]
                result.append(torch.logsumexp(torch.cat(a), 0) - math.log(n_samples))
        return torch.stack(result)


def training_steps(model, images, lr=5e-4):
    "Endless generator: each `next` is one training step."
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    loader = DataLoader(TensorDataset(images), batch_size=100, shuffle=True)
    while True:
        for (grey,) in loader:
            x = torch.bernoulli(grey)
            optimizer.zero_grad()
            loss = model.loss(x, beta=0.5)
            loss.backward()
            optimizer.step()
            yield loss.item()
