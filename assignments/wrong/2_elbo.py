# %% reparameterise: the variance used as standard deviation (the visible tests have variance 1)
def reparameterise(mu, logvar, noise):
    return mu + logvar.exp() * noise

# %% reparameterise: cut off from the parameters
def reparameterise(mu, logvar, noise):
    return (mu + (logvar / 2).exp() * noise).detach()

# %% reparameterise: noise of its own
def reparameterise(mu, logvar, noise):
    return mu + (logvar / 2).exp() * torch.randn_like(noise)

# %% reparameterise: a draw by torch.normal, through which no gradient passes
def reparameterise(mu, logvar, noise):
    return torch.normal(mu.expand_as(noise), (logvar / 2).exp().expand_as(noise))

# %% reparameterise: gradient for the mean only
def reparameterise(mu, logvar, noise):
    return mu + (logvar / 2).exp().detach() * noise

# %% kl_standard_normal: the divergence the other way round, KL(p || q)
def kl_standard_normal(mu, logvar):
    return 0.5 * ((1 + mu ** 2) / logvar.exp() - 1 + logvar).sum(-1)

# %% kl_standard_normal: the sign turned
def kl_standard_normal(mu, logvar):
    return 0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum(-1)

# %% kl_standard_normal: the mean over dimensions
def kl_standard_normal(mu, logvar):
    return 0.5 * (mu ** 2 + logvar.exp() - 1 - logvar).mean(-1)

# %% kl_standard_normal: the standard deviation where the variance belongs
def kl_standard_normal(mu, logvar):
    return 0.5 * (mu ** 2 + (logvar / 2).exp() - 1 - logvar).sum(-1)

# %% kl_standard_normal: the -1 forgotten
def kl_standard_normal(mu, logvar):
    return 0.5 * (mu ** 2 + logvar.exp() - logvar).sum(-1)

# %% kl_standard_normal: passes the visible tests: variances never looked at
def kl_standard_normal(mu, logvar):
    return 0.5 * (mu ** 2).sum(-1)

# %% elbo: the sign of log q
def elbo(x, mu, logvar, noise, decode, beta=1.0):
    def log_normal(z, mu, logvar): return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).sum(-1)
    z = mu + (logvar / 2).exp() * noise
    logits = decode(z)
    log_px = (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(-1)
    return (log_px + beta * (log_normal(z, 0 * mu, 0 * mu) + log_normal(z, mu, logvar))).mean(0)

# %% elbo: the logarithm of the mean weight (an IWAE bound), the same with a single draw
def elbo(x, mu, logvar, noise, decode, beta=1.0):
    def log_normal(z, mu, logvar): return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).sum(-1)
    z = mu + (logvar / 2).exp() * noise
    logits = decode(z)
    log_px = (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(-1)
    log_w = log_px + beta * (log_normal(z, 0 * mu, 0 * mu) - log_normal(z, mu, logvar))
    return log_w.logsumexp(0) - math.log(len(noise))

# %% elbo: beta never used
def elbo(x, mu, logvar, noise, decode, beta=1.0):
    def log_normal(z, mu, logvar): return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).sum(-1)
    z = mu + (logvar / 2).exp() * noise
    logits = decode(z)
    log_px = (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(-1)
    return (log_px + log_normal(z, 0 * mu, 0 * mu) - log_normal(z, mu, logvar)).mean(0)

# %% elbo: beta on the prior only
def elbo(x, mu, logvar, noise, decode, beta=1.0):
    def log_normal(z, mu, logvar): return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).sum(-1)
    z = mu + (logvar / 2).exp() * noise
    logits = decode(z)
    log_px = (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(-1)
    return (log_px + beta * log_normal(z, 0 * mu, 0 * mu) - log_normal(z, mu, logvar)).mean(0)

# %% elbo: the likelihood averaged over pixels
def elbo(x, mu, logvar, noise, decode, beta=1.0):
    def log_normal(z, mu, logvar): return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).sum(-1)
    z = mu + (logvar / 2).exp() * noise
    logits = decode(z)
    log_px = (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).mean(-1)
    return (log_px + beta * (log_normal(z, 0 * mu, 0 * mu) - log_normal(z, mu, logvar))).mean(0)

# %% elbo: the sum over draws
def elbo(x, mu, logvar, noise, decode, beta=1.0):
    def log_normal(z, mu, logvar): return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).sum(-1)
    z = mu + (logvar / 2).exp() * noise
    logits = decode(z)
    log_px = (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(-1)
    return (log_px + beta * (log_normal(z, 0 * mu, 0 * mu) - log_normal(z, mu, logvar))).sum(0)

# %% pathwise_gradient: sigma forgotten in d z / d logvar (the visible test has sigma 1)
def pathwise_gradient(mu, logvar, noise, df):
    slope = df(mu + (logvar / 2).exp() * noise)
    return slope.mean(0), (slope * noise / 2).mean(0)

# %% pathwise_gradient: the derivative in log sigma, without the 1/2
def pathwise_gradient(mu, logvar, noise, df):
    sigma = (logvar / 2).exp()
    slope = df(mu + sigma * noise)
    return slope.mean(0), (slope * sigma * noise).mean(0)

# %% pathwise_gradient: the slope at the mean, not at the draws
def pathwise_gradient(mu, logvar, noise, df):
    sigma = (logvar / 2).exp()
    slope = df(mu + 0 * noise)
    return slope.mean(0), (slope * sigma * noise / 2).mean(0)

# %% pathwise_gradient: the sum over draws
def pathwise_gradient(mu, logvar, noise, df):
    sigma = (logvar / 2).exp()
    slope = df(mu + sigma * noise)
    return slope.sum(0), (slope * sigma * noise / 2).sum(0)

# %% pathwise_gradient: the variance used as standard deviation
def pathwise_gradient(mu, logvar, noise, df):
    sigma = logvar.exp()
    slope = df(mu + sigma * noise)
    return slope.mean(0), (slope * sigma * noise / 2).mean(0)

# %% score_gradient: divided by the standard deviation, not the variance (the visible test has variance 1)
def score_gradient(mu, logvar, z, f, baseline=0.0):
    away, u = (f - baseline)[:, None], (z - mu) / (logvar / 2).exp()
    return (away * u).mean(0), (away * (u ** 2 - 1) / 2).mean(0)

# %% score_gradient: the baseline added
def score_gradient(mu, logvar, z, f, baseline=0.0):
    away, precision = (f + baseline)[:, None], torch.exp(-logvar)
    return (away * (z - mu) * precision).mean(0), (away * ((z - mu) ** 2 * precision - 1) / 2).mean(0)

# %% score_gradient: the -1 forgotten (the derivative of the normalising constant)
def score_gradient(mu, logvar, z, f, baseline=0.0):
    away, precision = (f - baseline)[:, None], torch.exp(-logvar)
    return (away * (z - mu) * precision).mean(0), (away * (z - mu) ** 2 * precision / 2).mean(0)

# %% score_gradient: the mean of f times the mean of the score
def score_gradient(mu, logvar, z, f, baseline=0.0):
    away, precision = (f - baseline).mean(), torch.exp(-logvar)
    return away * ((z - mu) * precision).mean(0), away * (((z - mu) ** 2 * precision - 1) / 2).mean(0)

# %% score_gradient: the baseline subtracted after averaging
def score_gradient(mu, logvar, z, f, baseline=0.0):
    value, precision = f[:, None], torch.exp(-logvar)
    return (value * (z - mu) * precision).mean(0) - baseline, (value * ((z - mu) ** 2 * precision - 1) / 2).mean(0) - baseline

# %% score_gradient: the sign of the score in mu
def score_gradient(mu, logvar, z, f, baseline=0.0):
    away, precision = (f - baseline)[:, None], torch.exp(-logvar)
    return (away * (mu - z) * precision).mean(0), (away * ((z - mu) ** 2 * precision - 1) / 2).mean(0)

# %% posterior: s for its square
def posterior(x, W, b, s):
    C = torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W / s)
    return (x - b) @ W @ C / s, C

# %% posterior: b forgotten
def posterior(x, W, b, s):
    C = torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W / s ** 2)
    return x @ W @ C / s ** 2, C

# %% posterior: the prior forgotten (least squares)
def posterior(x, W, b, s):
    C = torch.linalg.pinv(W.T @ W / s ** 2)
    return (x - b) @ W @ C / s ** 2, C

# %% posterior: the precision returned in place of the covariance
def posterior(x, W, b, s):
    P = torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W / s ** 2
    return (x - b) @ W @ torch.linalg.inv(P) / s ** 2, P

# %% posterior: passes the visible tests: their halves, whatever the model
def posterior(x, W, b, s):
    M = W.shape[1]
    return x[:, :1].expand(-1, M) / 2, torch.eye(M, dtype=W.dtype) / 2

# %% gap: only the diagonal of C
def gap(mu, logvar, m, C):
    c = C.diagonal()
    return 0.5 * ((logvar.exp() + (m - mu) ** 2) / c - 1 + c.log() - logvar).sum(-1)

# %% gap: the divergence the other way round
def gap(mu, logvar, m, C):
    return 0.5 * ((C.diagonal() + (m - mu) ** 2) / logvar.exp() - 1 + logvar).sum(-1) - 0.5 * torch.logdet(C)

# %% gap: the dimension forgotten
def gap(mu, logvar, m, C):
    P, away = torch.linalg.inv(C), m - mu
    return 0.5 * (logvar.exp() @ P.diagonal() + (away @ P * away).sum(-1) + torch.logdet(C) - logvar.sum(-1))

# %% gap: the sign of the determinants
def gap(mu, logvar, m, C):
    P, away = torch.linalg.inv(C), m - mu
    return 0.5 * (logvar.exp() @ P.diagonal() + (away @ P * away).sum(-1) - mu.shape[1] - torch.logdet(C) + logvar.sum(-1))

# %% gap: the inverse forgotten
def gap(mu, logvar, m, C):
    away = m - mu
    return 0.5 * (logvar.exp() @ C.diagonal() + (away @ C * away).sum(-1) - mu.shape[1] + torch.logdet(C) - logvar.sum(-1))

# %% gap: passes the visible tests: the distance of the means only
def gap(mu, logvar, m, C):
    away = m - mu
    return 0.5 * (away @ torch.linalg.inv(C) * away).sum(-1)

# %% beta_posterior: beta on the likelihood's side, 1 / beta for beta
def beta_posterior(x, W, b, s, beta):
    C = torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + beta * W.T @ W / s ** 2)
    return (x - b) @ W @ C * beta / s ** 2, C

# %% beta_posterior: beta in the covariance, forgotten in the mean's last factor
def beta_posterior(x, W, b, s, beta):
    C = torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W / (beta * s ** 2))
    return (x - b) @ W @ C / s ** 2, C

# %% beta_posterior: the noise's standard deviation times beta, so that its variance grows by beta squared
def beta_posterior(x, W, b, s, beta):
    v = (beta * s) ** 2
    C = torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W / v)
    return (x - b) @ W @ C / v, C

# %% beta_posterior: the prior's precision times beta, and the covariance not multiplied by beta again
def beta_posterior(x, W, b, s, beta):
    C = torch.linalg.inv(beta * torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W / s ** 2)
    return (x - b) @ W @ C / s ** 2, C

# %% beta_posterior: beta never used
def beta_posterior(x, W, b, s, beta):
    C = torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W / s ** 2)
    return (x - b) @ W @ C / s ** 2, C

# %% beta_posterior: passes the visible tests: the posterior or, for another beta, the prior
def beta_posterior(x, W, b, s, beta):
    I = torch.eye(W.shape[1], dtype=W.dtype)
    if beta != 1: return torch.zeros(len(x), W.shape[1], dtype=W.dtype), I
    C = torch.linalg.inv(I + W.T @ W / s ** 2)
    return (x - b) @ W @ C / s ** 2, C

# %% kl_standard_normal: torch.distributions does the work, which the rules exclude
def kl_standard_normal(mu, logvar):
    return torch.distributions.kl_divergence(torch.distributions.Normal(mu, (logvar / 2).exp()), torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(1)

# %% elbo: torch.distributions does the work, which the rules exclude
def elbo(x, mu, logvar, noise, decode, beta=1.0):
    z = mu + (logvar / 2).exp() * noise
    log_px = torch.distributions.Bernoulli(logits=decode(z)).log_prob(x).sum(-1)
    log_qz = torch.distributions.Normal(mu, (logvar / 2).exp()).log_prob(z).sum(-1)
    log_pz = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu)).log_prob(z).sum(-1)
    return (log_px + beta * (log_pz - log_qz)).mean(0)

# %% pathwise_gradient: autograd does the work, which the question excludes
def pathwise_gradient(mu, logvar, noise, df):
    mu, logvar = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
    z = mu + (logvar / 2).exp() * noise
    return torch.autograd.grad((df(z.detach()) * z).sum(1).mean(), [mu, logvar])

# %% score_gradient: autograd does the work, which the question excludes
def score_gradient(mu, logvar, z, f, baseline=0.0):
    mu, logvar = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
    log_q = -0.5 * (logvar + (z - mu) ** 2 / logvar.exp()).sum(1)
    return torch.autograd.grad(((f - baseline) * log_q).mean(), [mu, logvar])

# %% gap: torch.distributions does the work, which the rules exclude
def gap(mu, logvar, m, C):
    q = torch.distributions.MultivariateNormal(mu, torch.diag_embed(logvar.exp()))
    return torch.distributions.kl_divergence(q, torch.distributions.MultivariateNormal(m, C))
