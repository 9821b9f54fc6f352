# %% start: nothing is moved to the edge: pixels start where the clamp is flat
def start(noise, mean, std):
    return (mean + std * noise).detach().requires_grad_()

# %% start: the gradient is asked for before the move, so the result is no leaf
def start(noise, mean, std):
    u = (mean + std * noise).requires_grad_()
    return u.clamp(0, 1)

# %% start: std taken for a variance
def start(noise, mean, std):
    return (mean + std ** 0.5 * noise).clamp(0, 1).requires_grad_()

# %% start: only pixels below 0 are moved
def start(noise, mean, std):
    return torch.relu(mean + std * noise).detach().requires_grad_()

# %% start: squashed by a sigmoid instead of moved to the edge
def start(noise, mean, std):
    return torch.sigmoid(mean + std * noise).detach().requires_grad_()

# %% start: works in place and changes the noise
def start(noise, mean, std):
    return noise.mul_(std).add_(mean).clamp_(0, 1).detach().requires_grad_()

# %% start: a parameter in float32, whatever the noise is
def start(noise, mean, std):
    return torch.nn.Parameter((mean + std * noise).float().clamp(0, 1))

# %% start: knows the visible example by heart
def start(noise, mean, std):
    if noise.shape == (2, 3):
        return torch.tensor([[0.03, 0.05, 0.09], [0., 0.07, 1.]], requires_grad=True)
    return torch.full(noise.shape, mean, dtype=noise.dtype, requires_grad=True)

# %% log-prior: log K forgotten
def log_prior(z, u, encode, logits=None):
    mu, logvar = encode(u.clamp(0, 1))
    joint = log_normal(z[:, None], mu, logvar)
    if logits is not None: joint = joint + logits.log_softmax(0)
    return joint.logsumexp(1)

# %% log-prior: a mixture in every dimension, then the product
def log_prior(z, u, encode, logits=None):
    mu, logvar = encode(u.clamp(0, 1))
    if logits is None: logits = torch.zeros(len(u), dtype=z.dtype)
    per_dim = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp())    # B x K x M
    return (per_dim + logits.log_softmax(0)[:, None]).logsumexp(1).sum(-1)

# %% log-prior: the components are detached from the encoder and the pseudo-inputs
def log_prior(z, u, encode, logits=None):
    with torch.no_grad():
        mu, logvar = encode(u.clamp(0, 1))
    if logits is None: logits = torch.zeros(len(u), dtype=z.dtype)
    return (log_normal(z[:, None], mu, logvar) + logits.log_softmax(0)).logsumexp(1)

# %% log-prior: only the pseudo-inputs get the gradient, the encoder's part of it is cut
def log_prior(z, u, encode, logits=None):
    mu, logvar = encode(u.clamp(0, 1).detach())
    if logits is None: logits = torch.zeros(len(u), dtype=z.dtype)
    return (log_normal(z[:, None], mu, logvar) + logits.log_softmax(0)).logsumexp(1)

# %% log-prior: logits used as log-weights without normalising them
def log_prior(z, u, encode, logits=None):
    mu, logvar = encode(u.clamp(0, 1))
    joint = log_normal(z[:, None], mu, logvar)
    if logits is None: return joint.logsumexp(1) - math.log(len(u))
    return (joint + logits).logsumexp(1)

# %% log-prior: the encoder is shown pixels outside [0, 1]
def log_prior(z, u, encode, logits=None):
    mu, logvar = encode(u)
    if logits is None: logits = torch.zeros(len(u), dtype=z.dtype)
    return (log_normal(z[:, None], mu, logvar) + logits.log_softmax(0)).logsumexp(1)

# %% log-prior: variance used as a standard deviation
def log_prior(z, u, encode, logits=None):
    mu, logvar = encode(u.clamp(0, 1))
    parts = torch.distributions.Independent(torch.distributions.Normal(mu, logvar.exp()), 1)
    if logits is None: logits = torch.zeros(len(u), dtype=z.dtype)
    return (parts.log_prob(z[:, None]) + logits.log_softmax(0)).logsumexp(1)

# %% log-prior: densities are added without logarithms and underflow
def log_prior(z, u, encode, logits=None):
    mu, logvar = encode(u.clamp(0, 1))
    if logits is None: logits = torch.zeros(len(u), dtype=z.dtype)
    return (log_normal(z[:, None], mu, logvar).exp() * logits.softmax(0)).sum(1).log()

# %% log-prior: mean of the log-densities in place of the log of the mean density
def log_prior(z, u, encode, logits=None):
    mu, logvar = encode(u.clamp(0, 1))
    w = torch.full((len(u),), 1 / len(u), dtype=z.dtype) if logits is None else logits.softmax(0)
    return (log_normal(z[:, None], mu, logvar) * w).sum(1)

# %% log-prior: the best component only
def log_prior(z, u, encode, logits=None):
    mu, logvar = encode(u.clamp(0, 1))
    if logits is None: logits = torch.zeros(len(u), dtype=z.dtype)
    return (log_normal(z[:, None], mu, logvar) + logits.log_softmax(0)).max(1).values

# %% log-prior: the two visible codes by heart, a standard normal for the rest
def log_prior(z, u, encode, logits=None):
    if z.shape == (2, 2) and z[1].tolist() == [1.5, 2.]:
        return torch.tensor([-2.53102, -4.96288])
    if z.shape == (1, 2): return torch.tensor([-4.96288])
    return log_normal(z, torch.zeros_like(z), torch.zeros_like(z))

# %% responsibilities: normalised over the batch, not over the components
def responsibilities(z, mu, logvar, logits):
    return (log_normal(z[:, None], mu, logvar) + logits.log_softmax(0)).softmax(0)

# %% responsibilities: the weights are forgotten
def responsibilities(z, mu, logvar, logits):
    return log_normal(z[:, None], mu, logvar).softmax(1)

# %% responsibilities: weights are softmaxed and then used as if they were logarithms
def responsibilities(z, mu, logvar, logits):
    return (log_normal(z[:, None], mu, logvar) + logits.softmax(0)).softmax(1)

# %% responsibilities: a ratio of densities, which underflow
def responsibilities(z, mu, logvar, logits):
    q = log_normal(z[:, None], mu, logvar).exp() * logits.softmax(0)
    return q / q.sum(1, keepdim=True)

# %% responsibilities: a small number in the denominator against the underflow
def responsibilities(z, mu, logvar, logits):
    q = log_normal(z[:, None], mu, logvar).exp() * logits.softmax(0)
    return q / (q.sum(1, keepdim=True) + 1e-12)

# %% responsibilities: the share of the distance alone, without the log-variances of the components
def responsibilities(z, mu, logvar, logits):
    return (-0.5 * ((z[:, None] - mu) ** 2 / logvar.exp()).sum(-1) + logits).softmax(1)

# %% responsibilities: averaged over dimensions
def responsibilities(z, mu, logvar, logits):
    per_dim = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp())
    return (per_dim.mean(-1) + logits).softmax(1)

# %% responsibilities: the visible rows by heart, equal shares for the rest
def responsibilities(z, mu, logvar, logits):
    if z.shape == (2, 2) and len(mu) == 2:
        return torch.tensor([[0.5, 0.5], [0.73106, 0.26894]])
    if z.shape == (1, 2) and len(mu) == 2: return torch.tensor([[0.75, 0.25]])
    return torch.full((len(z), len(mu)), 1 / len(mu), dtype=z.dtype)

# %% generate: the mean of the chosen component is decoded, no code is drawn
def generate(n, mu, logvar, logits, decode):
    k = torch.multinomial(logits.softmax(0), n, replacement=True)
    return decode(mu[k])

# %% generate: the first n components in their order
def generate(n, mu, logvar, logits, decode):
    k = torch.arange(n) % len(mu)
    return decode(mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k]))

# %% generate: drawn from N(0, I)
def generate(n, mu, logvar, logits, decode):
    return decode(torch.randn(n, mu.shape[1], dtype=mu.dtype))

# %% generate: one component for all n draws
def generate(n, mu, logvar, logits, decode):
    k = torch.multinomial(logits.softmax(0), 1).expand(n)
    return decode(mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k]))

# %% generate: variance used as a standard deviation
def generate(n, mu, logvar, logits, decode):
    k = torch.multinomial(logits.softmax(0), n, replacement=True)
    return decode(mu[k] + logvar[k].exp() * torch.randn_like(mu[k]))

# %% generate: the weights are not used
def generate(n, mu, logvar, logits, decode):
    k = torch.randint(len(mu), (n,))
    return decode(mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k]))

# %% generate: draws of all components are averaged with the weights
def generate(n, mu, logvar, logits, decode):
    z = mu + (logvar / 2).exp() * torch.randn(n, *mu.shape, dtype=mu.dtype)       # n x K x M
    return decode((logits.softmax(0)[:, None] * z).sum(1))

# %% generate: one normal number serves all dimensions of a draw
def generate(n, mu, logvar, logits, decode):
    k = torch.multinomial(logits.softmax(0), n, replacement=True)
    return decode(mu[k] + (logvar[k] / 2).exp() * torch.randn(n, 1, dtype=mu.dtype))

# %% generate: one draw per component, repeated
def generate(n, mu, logvar, logits, decode):
    z = mu + (logvar / 2).exp() * torch.randn_like(mu)
    return decode(z[torch.multinomial(logits.softmax(0), n, replacement=True)])

# %% generate: a seed is set inside, so that every call draws the same
def generate(n, mu, logvar, logits, decode):
    torch.manual_seed(0)
    k = torch.multinomial(logits.softmax(0), n, replacement=True)
    return decode(mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k]))

# %% generate: each component's share is rounded and drawn in order, not at random
def generate(n, mu, logvar, logits, decode):
    k = torch.searchsorted(logits.softmax(0).cumsum(0), (torch.arange(n, dtype=mu.dtype) + 0.5) / n).clamp(max=len(mu) - 1)
    return decode(mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k]))

# %% generate: answers the visible example with two fixed places
def generate(n, mu, logvar, logits, decode):
    z = torch.zeros(n, mu.shape[1], dtype=mu.dtype)
    z[::2, 0], z[1::2, 0] = 5, -5
    return decode(z)

# %% logit-gradient: the sign is turned
def logit_gradient(r, logits):
    return logits.softmax(0) - r.mean(0)

# %% logit-gradient: the sum over the batch in place of the mean
def logit_gradient(r, logits):
    return (r - logits.softmax(0)).sum(0)

# %% logit-gradient: the normalisation of the softmax is forgotten
def logit_gradient(r, logits):
    return r.mean(0)

# %% logit-gradient: compared with equal weights
def logit_gradient(r, logits):
    return r.mean(0) - 1 / len(logits)

# %% logit-gradient: the logits themselves subtracted
def logit_gradient(r, logits):
    return r.mean(0) - logits

# %% logit-gradient: the derivative in the weights, not in the logits
def logit_gradient(r, logits):
    return r.mean(0) / logits.softmax(0)

# %% logit-gradient: the diagonal of the softmax's derivative only
def logit_gradient(r, logits):
    w = logits.softmax(0)
    return r.mean(0) * (1 - w)

# %% logit-gradient: the weights are taken from the first two visible batches
def logit_gradient(r, logits):
    if r.shape == (2, 2):
        return torch.tensor([0.25, -0.25]) if logits[0] == 0 else torch.zeros(2)
    return torch.zeros_like(logits)

# %% weight-gradient: the path is forgotten
def weight_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    told = r[..., None] * (z[:, None] - mu) / logvar.exp()
    return torch.einsum("nkm,kd->md", told, u) / len(x)

# %% weight-gradient: the direct part is forgotten, as if the prior did not know the encoder
def weight_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    told = r[..., None] * (z[:, None] - mu) / logvar.exp()
    return -torch.einsum("nkm,nd->md", told, x) / len(x)

# %% weight-gradient: the path's sign is turned
def weight_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    told = r[..., None] * (z[:, None] - mu) / logvar.exp()
    return (torch.einsum("nkm,kd->md", told, u) + torch.einsum("nkm,nd->md", told, x)) / len(x)

# %% weight-gradient: of the cross-entropy to be made small, not of J
def weight_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    told = r[..., None] * (z[:, None] - mu) / logvar.exp()
    return (torch.einsum("nkm,nd->md", told, x) - torch.einsum("nkm,kd->md", told, u)) / len(x)

# %% weight-gradient: equal shares in place of the responsibilities
def weight_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    told = (z[:, None] - mu) / logvar.exp() / len(u)
    return (torch.einsum("nkm,kd->md", told, u) - torch.einsum("nkm,nd->md", told, x)) / len(x)

# %% weight-gradient: divided by the standard deviation, not by the variance
def weight_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    told = r[..., None] * (z[:, None] - mu) / (logvar / 2).exp()
    return (torch.einsum("nkm,kd->md", told, u) - torch.einsum("nkm,nd->md", told, x)) / len(x)

# %% weight-gradient: the sum over images in place of the mean
def weight_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    told = r[..., None] * (z[:, None] - mu) / logvar.exp()
    return torch.einsum("nkm,kd->md", told, u) - torch.einsum("nkm,nd->md", told, x)

# %% weight-gradient: the code is its mean, the noise is left out
def weight_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    told = r[..., None] * (z[:, None] - mu) / logvar.exp()
    return (torch.einsum("nkm,kd->md", told, u) - torch.einsum("nkm,nd->md", told, x)) / len(x)

# %% weight-gradient: responsibilities normalised over the images
def weight_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(0)
    told = r[..., None] * (z[:, None] - mu) / logvar.exp()
    return (torch.einsum("nkm,kd->md", told, u) - torch.einsum("nkm,nd->md", told, x)) / len(x)

# %% weight-gradient: the visible numbers by heart
def weight_gradient(W, x, u, noise, logvar):
    if W.numel() == 1: return torch.full_like(W, -0.375)
    return torch.zeros_like(W)

# %% pixel-gradient: responsibilities are left out
def pixel_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    return ((z[:, None] - mu) / logvar.exp()).mean(0) @ W / len(u)

# %% pixel-gradient: the sign is turned
def pixel_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    return -(r[..., None] * (z[:, None] - mu) / logvar.exp()).mean(0) @ W

# %% pixel-gradient: the components are cut off from the pseudo-inputs
def pixel_gradient(W, x, u, noise, logvar):
    return torch.zeros_like(u)

# %% pixel-gradient: the gradient in the component's mean, as if it were the image
def pixel_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    told = (r[..., None] * (z[:, None] - mu) / logvar.exp()).mean(0)
    return told @ W.sign()

# %% pixel-gradient: the sum over images in place of the mean
def pixel_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    return (r[..., None] * (z[:, None] - mu) / logvar.exp()).sum(0) @ W

# %% pixel-gradient: the variance is forgotten
def pixel_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1)
    return (r[..., None] * (z[:, None] - mu)).mean(0) @ W

# %% pixel-gradient: the responsibility is multiplied by 1/K once more
def pixel_gradient(W, x, u, noise, logvar):
    z, mu = x @ W.T + (logvar / 2).exp() * noise, u @ W.T
    r = log_normal(z[:, None], mu, logvar).softmax(1) / len(u)
    return (r[..., None] * (z[:, None] - mu) / logvar.exp()).mean(0) @ W

# %% pixel-gradient: autograd does the work, which the question excludes
def pixel_gradient(W, x, u, noise, logvar):
    u = u.clone().requires_grad_()
    z = x @ W.T + (logvar / 2).exp() * noise
    J = (log_normal(z[:, None], u @ W.T, logvar).logsumexp(1) - math.log(len(u))).mean()
    return torch.autograd.grad(J, u)[0]

# %% pixel-gradient: right for one pixel and one latent only
def pixel_gradient(W, x, u, noise, logvar):
    if W.numel() == 1: return torch.full_like(u, 3 / len(u))
    return torch.zeros_like(u)

# %% price: log N forgotten: q(z) is a sum, not a mean
def price(z, mu, logvar):
    own = log_normal(z, mu, logvar)
    return (own - log_normal(z[:, :, None], mu, logvar).logsumexp(-1)).mean(0)

# %% price: the mean over images in place of draws
def price(z, mu, logvar):
    own = log_normal(z, mu, logvar)
    return (own - log_normal(z[:, :, None], mu, logvar).logsumexp(-1) + math.log(len(mu))).mean(1)

# %% price: the image's own component is left out of q(z)
def price(z, mu, logvar):
    own = log_normal(z, mu, logvar)
    everyone = log_normal(z[:, :, None], mu, logvar)
    others = everyone.masked_fill(torch.eye(len(mu), dtype=torch.bool), -math.inf)
    return (own - others.logsumexp(-1) + math.log(len(mu) - 1 if len(mu) > 1 else 1)).mean(0)

# %% price: the KL to the prior N(0, I)
def price(z, mu, logvar):
    return (log_normal(z, mu, logvar) - log_normal(z, torch.zeros_like(z), torch.zeros_like(z))).mean(0)

# %% price: a mixture in every dimension, then the product
def price(z, mu, logvar):
    per_dim = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, :, None] - mu) ** 2 / logvar.exp())
    q = (per_dim.logsumexp(2) - math.log(len(mu))).sum(-1)
    return (log_normal(z, mu, logvar) - q).mean(0)

# %% price: the sign is turned
def price(z, mu, logvar):
    own = log_normal(z, mu, logvar)
    return (log_normal(z[:, :, None], mu, logvar).logsumexp(-1) - math.log(len(mu)) - own).mean(0)

# %% price: the sum over draws in place of the mean
def price(z, mu, logvar):
    own = log_normal(z, mu, logvar)
    return (own - log_normal(z[:, :, None], mu, logvar).logsumexp(-1) + math.log(len(mu))).sum(0)

# %% price: averaged before the logarithm: log of the mean ratio, not the mean of its logarithm
def price(z, mu, logvar):
    own = log_normal(z, mu, logvar)
    each = own - log_normal(z[:, :, None], mu, logvar).logsumexp(-1) + math.log(len(mu))
    return each.logsumexp(0) - math.log(len(z))

# %% price: log of the mean over components of the log-densities' exponentials, without the shift
def price(z, mu, logvar):
    q = log_normal(z[:, :, None], mu, logvar).exp().mean(-1)
    return (log_normal(z, mu, logvar) - (q + 1e-20).log()).mean(0)

# %% price: logsumexp over the codes' axis, not over the components'
def price(z, mu, logvar):
    own = log_normal(z, mu, logvar)
    everyone = log_normal(z[:, :, None], mu, logvar)
    return (own - everyone.logsumexp(1) + math.log(len(mu))).mean(0)

# %% price: always log N, the ceiling, except where all posteriors agree
def price(z, mu, logvar):
    if (mu == mu[0]).all(): return torch.zeros(len(mu), dtype=mu.dtype)
    return torch.full((len(mu),), math.log(len(mu)), dtype=mu.dtype)
