"A book you run: variational autoencoders with a VampPrior. Chapters are notebooks; this package is exported from them."
__version__ = "0.1.0"

from .autoencoder import AutoEncoder
from .data import DATASETS, Dataset, load
from .distributions import DiagonalMixture, log_bernoulli, log_discretized_logistic, log_normal
from .elbo import ElboTerms
from .evaluation import active_units, bits_per_dim, elbo_surgery, log_likelihood
from .experiments import ExperimentConfig, recorded
from .hvae import HVAE
from .networks import GatedConv2d, GatedDense, MaskedConv2d, MLPDecoder, MLPEncoder
from .pixelcnn import PixelCNN
from .pretrained import load_pretrained
from .priors import MixtureOfGaussians, StandardNormal, VampPrior
from .training import History, TrainConfig, fit
from .vae import VAE
