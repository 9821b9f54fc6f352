"""Pythae's VAMP (optional extra) with the book's layer sizes, driven through its own public methods."""
import contextlib
import io

import torch
from pythae.models import VAMP, VAMPConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from textbook import GatedDense
from torch import nn


class Encoder(BaseEncoder):
    def __init__(self, n_pixels, latent, hidden):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), GatedDense(n_pixels, hidden), GatedDense(hidden, hidden))
        self.mean, self.logvar = nn.Linear(hidden, latent), nn.Linear(hidden, latent)

    def forward(self, x):
        h = self.body(x)
        return ModelOutput(embedding=self.mean(h), log_covariance=self.logvar(h).clamp(-6, 2))


class Decoder(BaseDecoder):
    def __init__(self, n_pixels, latent, hidden):
        super().__init__()
        self.body = nn.Sequential(GatedDense(latent, hidden), GatedDense(hidden, hidden), nn.Linear(hidden, n_pixels), nn.Sigmoid())

    def forward(self, z):
        return ModelOutput(reconstruction=self.body(z))


def make(n_pixels=784, latent=40, hidden=300, n_components=500):
    config = VAMPConfig(input_dim=(1, n_pixels), latent_dim=latent, reconstruction_loss="bce", number_components=n_components, linear_scheduling_steps=0)
    return VAMP(config, Encoder(n_pixels, latent, hidden), Decoder(n_pixels, latent, hidden))


def training_steps(model, images, lr=5e-4):
    "Endless generator: each `next` is one step of the loop in Pythae's trainer (DataLoader, loss, Adam)."
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    loader = torch.utils.data.DataLoader(images.reshape(len(images), 1, -1), batch_size=100, shuffle=True)
    while True:
        for grey in loader:
            optimizer.zero_grad()
            loss = model({"data": torch.bernoulli(grey)}).loss
            loss.backward()
            optimizer.step()
            yield loss.item()


def log_likelihood(model, images, n_samples=5000):
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        return -model.get_nll(images.reshape(len(images), 1, -1), n_samples=n_samples, batch_size=100)
