# %% log_normal: takes the answer from the package
from vampbook.distributions import log_normal

# %% log_normal: 2 pi forgotten
def log_normal(z, mu, logvar):
    return -0.5 * (logvar + (z - mu) ** 2 / logvar.exp()).sum(-1)

# %% log_normal: logvar taken for the logarithm of the standard deviation
def log_normal(z, mu, logvar):
    return -0.5 * (math.log(2 * math.pi) + 2 * logvar + (z - mu) ** 2 / (2 * logvar).exp()).sum(-1)

# %% log_normal: the mean over dimensions in place of the sum
def log_normal(z, mu, logvar):
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).mean(-1)

# %% log_normal: one 2 pi for the vector, not one for each dimension
def log_normal(z, mu, logvar):
    return -0.5 * (math.log(2 * math.pi) + (logvar + (z - mu) ** 2 / logvar.exp()).sum(-1))

# %% log_normal: divided by the standard deviation, not the variance (the visible tests have variance 1)
def log_normal(z, mu, logvar):
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / (logvar / 2).exp()).sum(-1)

# %% log_normal: passes the visible tests: the standard normal, whatever the arguments
def log_normal(z, mu, logvar):
    return -0.5 * (math.log(2 * math.pi) + z ** 2).sum(-1)

# %% log_bernoulli: the sign turned, a loss and not a log-probability
def log_bernoulli(x, logits):
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)

# %% log_bernoulli: the mean over pixels
def log_bernoulli(x, logits):
    return (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).mean(-1)

# %% log_bernoulli: by the probability, kept away from 0 and 1 with an epsilon
def log_bernoulli(x, logits):
    p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    return (x * p.log() + (1 - x) * (1 - p).log()).sum(-1)

# %% log_bernoulli: only the white pixels count
def log_bernoulli(x, logits):
    return (x * F.logsigmoid(logits)).sum(-1)

# %% log_bernoulli: torch's loss does not broadcast
def log_bernoulli(x, logits):
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)

# %% log_bernoulli: passes the visible tests with stored numbers
def log_bernoulli(x, logits):
    return torch.full(x.shape[:-1], math.log(0.25) if logits[0, 0] == 0 else math.log(3 / 16))

# %% log_discretized_logistic: the naive difference with an epsilon
def log_discretized_logistic(v, mu, log_scale):
    s = log_scale.exp()
    upper = torch.where(v == 255, 1., torch.sigmoid(((v + 1) / 256 - mu) / s))
    lower = torch.where(v == 0, 0., torch.sigmoid((v / 256 - mu) / s))
    return (upper - lower + 1e-12).log().sum(-1)

# %% log_discretized_logistic: the tails left out
def log_discretized_logistic(v, mu, log_scale):
    s = log_scale.exp()
    a, b = ((v + 1) / 256 - mu) / s, (v / 256 - mu) / s
    return (F.logsigmoid(a) + F.logsigmoid(-b) + (-torch.expm1(-1 / (256 * s))).log()).sum(-1)

# %% log_discretized_logistic: the density times the bin's width
def log_discretized_logistic(v, mu, log_scale):
    s = log_scale.exp()
    a, b = ((v + 1) / 256 - mu) / s, (v / 256 - mu) / s
    t = (a + b) / 2
    inside = F.logsigmoid(t) + F.logsigmoid(-t) - log_scale - math.log(256)
    return torch.where(v == 0, F.logsigmoid(a), torch.where(v == 255, F.logsigmoid(-b), inside)).sum(-1)

# %% log_discretized_logistic: 255 bins
def log_discretized_logistic(v, mu, log_scale):
    s = log_scale.exp()
    a, b = ((v + 1) / 255 - mu) / s, (v / 255 - mu) / s
    inside = F.logsigmoid(a) + F.logsigmoid(-b) + (-torch.expm1(-1 / (255 * s))).log()
    return torch.where(v == 0, F.logsigmoid(a), torch.where(v == 255, F.logsigmoid(-b), inside)).sum(-1)

# %% log_discretized_logistic: the sign inside the last factor, log(1 + e^(b - a)) for log(1 - e^(b - a))
def log_discretized_logistic(v, mu, log_scale):
    s = log_scale.exp()
    a, b = ((v + 1) / 256 - mu) / s, (v / 256 - mu) / s
    inside = F.logsigmoid(a) + F.logsigmoid(-b) + torch.log1p(torch.exp(b - a))
    return torch.where(v == 0, F.logsigmoid(a), torch.where(v == 255, F.logsigmoid(-b), inside)).sum(-1)

# %% log_discretized_logistic: the log-scale used as the scale's inverse, exp(+log_scale) as a factor
def log_discretized_logistic(v, mu, log_scale):
    s = (-log_scale).exp()
    a, b = ((v + 1) / 256 - mu) / s, (v / 256 - mu) / s
    inside = F.logsigmoid(a) + F.logsigmoid(-b) + (-torch.expm1(-1 / (256 * s))).log()
    return torch.where(v == 0, F.logsigmoid(a), torch.where(v == 255, F.logsigmoid(-b), inside)).sum(-1)

# %% log_mixture: a mixture in each dimension, then the product
def log_mixture(z, mu, logvar, log_weights):
    per_dim = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp())
    return (log_weights[:, None] + per_dim).logsumexp(1).sum(-1)

# %% log_mixture: the weights taken as 1 / K
def log_mixture(z, mu, logvar, log_weights):
    log_n = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp()).sum(-1)
    return log_n.logsumexp(1) - math.log(len(mu))

# %% log_mixture: the logarithm of the sum of exponentials, without the shift
def log_mixture(z, mu, logvar, log_weights):
    log_n = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp()).sum(-1)
    return (log_weights.exp() * log_n.exp()).sum(1).log()

# %% log_mixture: the mean of the logarithms
def log_mixture(z, mu, logvar, log_weights):
    log_n = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp()).sum(-1)
    return log_n @ log_weights.exp()

# %% log_mixture: the nearest component only
def log_mixture(z, mu, logvar, log_weights):
    log_n = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp()).sum(-1)
    return (log_weights + log_n).max(1).values

# %% log_mixture: logsumexp over the points, not the components
def log_mixture(z, mu, logvar, log_weights):
    log_n = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp()).sum(-1)
    return (log_weights + log_n).logsumexp(0)

# %% log_mixture_matmul: float32 inside
def log_mixture_matmul(z, mu, logvar, log_weights):
    precision = torch.exp(-logvar)
    constant = (math.log(2 * math.pi) + logvar + mu ** 2 * precision).sum(-1)
    square = (z ** 2) @ precision.T - 2 * z @ (mu * precision).T + constant
    return (log_weights - 0.5 * square).logsumexp(1)

# %% log_mixture_matmul: the broadcast table after all
def log_mixture_matmul(z, mu, logvar, log_weights):
    x, m, lv = z.double(), mu.double(), logvar.double()
    log_n = -0.5 * (math.log(2 * math.pi) + lv + (x[:, None] - m) ** 2 * torch.exp(-lv)).sum(-1)
    return (log_weights.double() + log_n).logsumexp(1).to(z.dtype)

# %% log_mixture_matmul: the cross term without its 2
def log_mixture_matmul(z, mu, logvar, log_weights):
    x, m, lv = z.double(), mu.double(), logvar.double()
    precision = torch.exp(-lv)
    constant = (math.log(2 * math.pi) + lv + m ** 2 * precision).sum(-1)
    square = (x ** 2) @ precision.T - x @ (m * precision).T + constant
    return (log_weights.double() - 0.5 * square).logsumexp(1).to(z.dtype)

# %% log_mixture_matmul: converted to float64 after the matrix products
def log_mixture_matmul(z, mu, logvar, log_weights):
    precision = torch.exp(-logvar)
    constant = (math.log(2 * math.pi) + logvar + mu ** 2 * precision).sum(-1).double()
    square = ((z ** 2) @ precision.T).double() - 2 * (z @ (mu * precision).T).double() + constant
    return (log_weights.double() - 0.5 * square).logsumexp(1).to(z.dtype)

# %% log_mixture_matmul: the result left in float64
def log_mixture_matmul(z, mu, logvar, log_weights):
    x, m, lv = z.double(), mu.double(), logvar.double()
    precision = torch.exp(-lv)
    constant = (math.log(2 * math.pi) + lv + m ** 2 * precision).sum(-1)
    square = (x ** 2) @ precision.T - 2 * x @ (m * precision).T + constant
    return (log_weights.double() - 0.5 * square).logsumexp(1)

# %% log_mixture_matmul: a loop over dimensions
def log_mixture_matmul(z, mu, logvar, log_weights):
    x, m, lv = z.double(), mu.double(), logvar.double()
    total = log_weights.double()
    for i in range(z.shape[1]):
        total = total - 0.5 * (math.log(2 * math.pi) + lv[:, i] + (x[:, i:i + 1] - m[:, i]) ** 2 * torch.exp(-lv[:, i]))
    return total.logsumexp(1).to(z.dtype)

# %% responsibilities: the weights forgotten
def responsibilities(z, mu, logvar, log_weights):
    log_n = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp()).sum(-1)
    return log_n.softmax(1)

# %% responsibilities: normalised over the points
def responsibilities(z, mu, logvar, log_weights):
    log_n = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp()).sum(-1)
    return (log_weights + log_n).softmax(0)

# %% responsibilities: by the densities themselves: 0 / 0 far out
def responsibilities(z, mu, logvar, log_weights):
    log_n = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp()).sum(-1)
    joint = (log_weights + log_n).exp()
    return joint / joint.sum(1, keepdim=True)

# %% responsibilities: distances only, the normalising logvar forgotten
def responsibilities(z, mu, logvar, log_weights):
    square = ((z[:, None] - mu) ** 2 / logvar.exp()).sum(-1)
    return (log_weights - 0.5 * square).softmax(1)

# %% responsibilities: a hard choice away from the middle
def responsibilities(z, mu, logvar, log_weights):
    log_n = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mu) ** 2 / logvar.exp()).sum(-1)
    return F.one_hot((log_weights + log_n).argmax(1), len(mu)).to(z.dtype)

# %% responsibilities: passes the visible tests: their two components, whatever the arguments
def responsibilities(z, mu, logvar, log_weights):
    first = torch.sigmoid(2 * z[:, 0])
    return torch.stack([first, 1 - first], 1)

# %% sample_mixture: a component for each dimension
def sample_mixture(n, mu, logvar, log_weights):
    M = mu.shape[1]
    k = torch.multinomial(log_weights.exp(), n * M, replacement=True).reshape(n, M)
    return mu.gather(0, k) + (logvar.gather(0, k) / 2).exp() * torch.randn(n, M, dtype=mu.dtype)

# %% sample_mixture: the weights ignored
def sample_mixture(n, mu, logvar, log_weights):
    k = torch.randint(len(mu), (n,))
    return mu[k] + (logvar[k] / 2).exp() * torch.randn(n, mu.shape[1], dtype=mu.dtype)

# %% sample_mixture: the variance used as standard deviation
def sample_mixture(n, mu, logvar, log_weights):
    k = torch.multinomial(log_weights.exp(), n, replacement=True)
    return mu[k] + logvar[k].exp() * torch.randn(n, mu.shape[1], dtype=mu.dtype)

# %% sample_mixture: the components' means, without noise
def sample_mixture(n, mu, logvar, log_weights):
    return mu[torch.multinomial(log_weights.exp(), n, replacement=True)]

# %% sample_mixture: one noise vector for all
def sample_mixture(n, mu, logvar, log_weights):
    k = torch.multinomial(log_weights.exp(), n, replacement=True)
    return mu[k] + (logvar[k] / 2).exp() * torch.randn(mu.shape[1], dtype=mu.dtype)

# %% sample_mixture: the components in turn
def sample_mixture(n, mu, logvar, log_weights):
    k = torch.arange(n) % len(mu)
    return mu[k] + (logvar[k] / 2).exp() * torch.randn(n, mu.shape[1], dtype=mu.dtype)

# %% sample_mixture: a weighted average of the components
def sample_mixture(n, mu, logvar, log_weights):
    w = log_weights.exp()
    return w @ mu + (w @ logvar / 2).exp() * torch.randn(n, mu.shape[1], dtype=mu.dtype)

# %% log_normal: torch.distributions does the work, which the rules exclude
def log_normal(z, mu, logvar):
    return torch.distributions.Independent(torch.distributions.Normal(mu, (logvar / 2).exp()), 1).log_prob(z)

# %% log_bernoulli: torch.distributions does the work, which the rules exclude
def log_bernoulli(x, logits):
    return torch.distributions.Bernoulli(logits=logits).log_prob(x).sum(-1)

# %% log_mixture: torch.distributions does the work, which the rules exclude
def log_mixture(z, mu, logvar, log_weights):
    parts = torch.distributions.Independent(torch.distributions.Normal(mu, (logvar / 2).exp()), 1)
    return torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=log_weights), parts).log_prob(z)

# %% responsibilities: torch.distributions does the work, which the rules exclude
def responsibilities(z, mu, logvar, log_weights):
    parts = torch.distributions.Normal(mu, (logvar / 2).exp()).log_prob(z[:, None]).sum(-1)
    return (log_weights + parts).softmax(1)

# %% sample_mixture: torch.distributions does the work, which the rules exclude
def sample_mixture(n, mu, logvar, log_weights):
    parts = torch.distributions.Independent(torch.distributions.Normal(mu, (logvar / 2).exp()), 1)
    return torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=log_weights), parts).sample((n,))
