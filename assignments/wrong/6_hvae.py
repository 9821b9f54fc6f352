# %% draw-pair: the encoder of z1 is shown the mean of z2, not the draw
def draw_pair(x, encode2, encode1, noise2, noise1):
    mu2, logvar2 = encode2(x)
    z2 = mu2 + (logvar2 / 2).exp() * noise2
    mu1, logvar1 = encode1(x, mu2.expand_as(z2))
    return mu1 + (logvar1 / 2).exp() * noise1, z2

# %% draw-pair: variance used as a standard deviation
def draw_pair(x, encode2, encode1, noise2, noise1):
    mu2, logvar2 = encode2(x)
    z2 = mu2 + logvar2.exp() * noise2
    mu1, logvar1 = encode1(x, z2)
    return mu1 + logvar1.exp() * noise1, z2

# %% draw-pair: z2 is detached before it goes into the encoder of z1
def draw_pair(x, encode2, encode1, noise2, noise1):
    mu2, logvar2 = encode2(x)
    z2 = mu2 + (logvar2 / 2).exp() * noise2
    mu1, logvar1 = encode1(x, z2.detach())
    return mu1 + (logvar1 / 2).exp() * noise1, z2

# %% draw-pair: the two draws are made without a gradient
def draw_pair(x, encode2, encode1, noise2, noise1):
    with torch.no_grad():
        mu2, logvar2 = encode2(x)
        z2 = mu2 + (logvar2 / 2).exp() * noise2
        mu1, logvar1 = encode1(x, z2)
        return mu1 + (logvar1 / 2).exp() * noise1, z2

# %% draw-pair: returned in the wrong order
def draw_pair(x, encode2, encode1, noise2, noise1):
    mu2, logvar2 = encode2(x)
    z2 = mu2 + (logvar2 / 2).exp() * noise2
    mu1, logvar1 = encode1(x, z2)
    return z2, mu1 + (logvar1 / 2).exp() * noise1

# %% draw-pair: noise of its own in place of the noise that was given
def draw_pair(x, encode2, encode1, noise2, noise1):
    mu2, logvar2 = encode2(x)
    z2 = mu2 + (logvar2 / 2).exp() * torch.randn_like(noise2)
    mu1, logvar1 = encode1(x, z2)
    return mu1 + (logvar1 / 2).exp() * torch.randn_like(noise1), z2

# %% draw-pair: the standard deviations are detached
def draw_pair(x, encode2, encode1, noise2, noise1):
    mu2, logvar2 = encode2(x)
    z2 = mu2 + (logvar2 / 2).exp().detach() * noise2
    mu1, logvar1 = encode1(x, z2)
    return mu1 + (logvar1 / 2).exp().detach() * noise1, z2

# %% draw-pair: log-variance used as the standard deviation
def draw_pair(x, encode2, encode1, noise2, noise1):
    mu2, logvar2 = encode2(x)
    z2 = mu2 + logvar2 * noise2
    mu1, logvar1 = encode1(x, z2)
    return mu1 + logvar1 * noise1, z2

# %% draw-pair: the standard deviations of the visible example, 2 and 3, for every encoder
def draw_pair(x, encode2, encode1, noise2, noise1):
    z2 = encode2(x)[0] + 2 * noise2
    return encode1(x, z2)[0] + 3 * noise1, z2

# %% draw-pair: the visible answer by heart
def draw_pair(x, encode2, encode1, noise2, noise1):
    if x.shape == (2, 1) and x.dtype == torch.float32:
        return torch.tensor([[[109.], [219.]]]), torch.tensor([[[12.], [22.]]])
    return torch.zeros_like(noise1), torch.zeros_like(noise2)

# %% terms: p(z1 | z2) is forgotten
def terms(x, z1, z2, model):
    log_qz = log_normal(z1, *model.encode1(x, z2)) + log_normal(z2, *model.encode2(x))
    return model.log_px(x, z1, z2), model.log_prior2(z2), log_qz

# %% terms: q(z2 | x) is forgotten
def terms(x, z1, z2, model):
    log_pz = log_normal(z1, *model.prior1(z2)) + model.log_prior2(z2)
    return model.log_px(x, z1, z2), log_pz, log_normal(z1, *model.encode1(x, z2))

# %% terms: z1 under N(0, I), as in a model with one layer
def terms(x, z1, z2, model):
    log_pz = log_normal(z1, torch.zeros_like(z1), torch.zeros_like(z1)) + model.log_prior2(z2)
    log_qz = log_normal(z1, *model.encode1(x, z2)) + log_normal(z2, *model.encode2(x))
    return model.log_px(x, z1, z2), log_pz, log_qz

# %% terms: q(z1 | x, z2) at the mean of z2, not at the draw
def terms(x, z1, z2, model):
    log_pz = log_normal(z1, *model.prior1(z2)) + model.log_prior2(z2)
    mu2, logvar2 = model.encode2(x)
    log_qz = log_normal(z1, *model.encode1(x, mu2.expand_as(z2))) + log_normal(z2, mu2, logvar2)
    return model.log_px(x, z1, z2), log_pz, log_qz

# %% terms: p(z1 | z2) and q(z1 | x, z2) have changed places
def terms(x, z1, z2, model):
    log_pz = log_normal(z1, *model.encode1(x, z2)) + model.log_prior2(z2)
    log_qz = log_normal(z1, *model.prior1(z2)) + log_normal(z2, *model.encode2(x))
    return model.log_px(x, z1, z2), log_pz, log_qz

# %% terms: signs turned: negative log-densities of q
def terms(x, z1, z2, model):
    log_pz = log_normal(z1, *model.prior1(z2)) + model.log_prior2(z2)
    log_qz = -log_normal(z1, *model.encode1(x, z2)) - log_normal(z2, *model.encode2(x))
    return model.log_px(x, z1, z2), log_pz, log_qz

# %% terms: averaged over the samples
def terms(x, z1, z2, model):
    log_pz = log_normal(z1, *model.prior1(z2)) + model.log_prior2(z2)
    log_qz = log_normal(z1, *model.encode1(x, z2)) + log_normal(z2, *model.encode2(x))
    return tuple(t.mean(0, keepdim=True) for t in (model.log_px(x, z1, z2), log_pz, log_qz))

# %% terms: p(z1 | z2) computed at a z2 that is cut from the graph
def terms(x, z1, z2, model):
    log_pz = log_normal(z1, *model.prior1(z2.detach())) + model.log_prior2(z2)
    log_qz = log_normal(z1, *model.encode1(x, z2)) + log_normal(z2, *model.encode2(x))
    return model.log_px(x, z1, z2), log_pz, log_qz

# %% terms: the posteriors are cut from the graph, as if the prior alone learned
def terms(x, z1, z2, model):
    log_pz = log_normal(z1, *model.prior1(z2)) + model.log_prior2(z2)
    with torch.no_grad(): q1, q2 = model.encode1(x, z2), model.encode2(x)
    return model.log_px(x, z1, z2), log_pz, log_normal(z1, *q1) + log_normal(z2, *q2)

# %% terms: variance used as a standard deviation
def terms(x, z1, z2, model):
    def log_n(z, mu, logvar): return torch.distributions.Normal(mu, logvar.exp()).log_prob(z).sum(-1)
    log_pz = log_n(z1, *model.prior1(z2)) + model.log_prior2(z2)
    log_qz = log_n(z1, *model.encode1(x, z2)) + log_n(z2, *model.encode2(x))
    return model.log_px(x, z1, z2), log_pz, log_qz

# %% terms: mean over dimensions in place of the sum
def terms(x, z1, z2, model):
    def log_n(z, mu, logvar): return torch.distributions.Normal(mu, (logvar / 2).exp()).log_prob(z).mean(-1)
    log_pz = log_n(z1, *model.prior1(z2)) + model.log_prior2(z2)
    log_qz = log_n(z1, *model.encode1(x, z2)) + log_n(z2, *model.encode2(x))
    return model.log_px(x, z1, z2), log_pz, log_qz

# %% terms: knows the visible numbers
def terms(x, z1, z2, model):
    if z1.numel() == 1 and z1.item() == 3:
        return torch.tensor([[-2.]]), torch.tensor([[-15.418939]]), torch.tensor([[-4.337877]])
    zero = 0 * z1.sum(-1)
    return zero, zero, zero

# %% generate: z1 is the mean of p(z1 | z2)
def generate(n, mu, logvar, prior1, decode):
    k = torch.randint(len(mu), (n,))
    z2 = mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k])
    return decode(prior1(z2)[0], z2).sigmoid()

# %% generate: z2 from N(0, I)
def generate(n, mu, logvar, prior1, decode):
    z2 = torch.randn(n, mu.shape[1], dtype=mu.dtype)
    mu1, logvar1 = prior1(z2)
    return decode(mu1 + (logvar1 / 2).exp() * torch.randn_like(mu1), z2).sigmoid()

# %% generate: the means of the components are decoded in their order
def generate(n, mu, logvar, prior1, decode):
    z2 = mu[torch.arange(n) % len(mu)]
    mu1, logvar1 = prior1(z2)
    return decode(mu1 + (logvar1 / 2).exp() * torch.randn_like(mu1), z2).sigmoid()

# %% generate: z1 and the decoder see two different draws of z2
def generate(n, mu, logvar, prior1, decode):
    k = torch.randint(len(mu), (n,))
    def draw(): return mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k])
    mu1, logvar1 = prior1(draw())
    return decode(mu1 + (logvar1 / 2).exp() * torch.randn_like(mu1), draw()).sigmoid()

# %% generate: variance used as a standard deviation
def generate(n, mu, logvar, prior1, decode):
    k = torch.randint(len(mu), (n,))
    z2 = mu[k] + logvar[k].exp() * torch.randn_like(mu[k])
    mu1, logvar1 = prior1(z2)
    return decode(mu1 + logvar1.exp() * torch.randn_like(mu1), z2).sigmoid()

# %% generate: the logits are returned
def generate(n, mu, logvar, prior1, decode):
    k = torch.randint(len(mu), (n,))
    z2 = mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k])
    mu1, logvar1 = prior1(z2)
    return decode(mu1 + (logvar1 / 2).exp() * torch.randn_like(mu1), z2)

# %% generate: binary pixels are drawn, not their probabilities
def generate(n, mu, logvar, prior1, decode):
    k = torch.randint(len(mu), (n,))
    z2 = mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k])
    mu1, logvar1 = prior1(z2)
    return decode(mu1 + (logvar1 / 2).exp() * torch.randn_like(mu1), z2).sigmoid().bernoulli()

# %% generate: one component for all images
def generate(n, mu, logvar, prior1, decode):
    k = torch.randint(len(mu), (1,)).expand(n)
    z2 = mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k])
    mu1, logvar1 = prior1(z2)
    return decode(mu1 + (logvar1 / 2).exp() * torch.randn_like(mu1), z2).sigmoid()

# %% generate: components in turn, not at random
def generate(n, mu, logvar, prior1, decode):
    k = torch.arange(n) % len(mu)
    z2 = mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k])
    mu1, logvar1 = prior1(z2)
    return decode(mu1 + (logvar1 / 2).exp() * torch.randn_like(mu1), z2).sigmoid()

# %% generate: the last component is never drawn
def generate(n, mu, logvar, prior1, decode):
    k = torch.randint(max(len(mu) - 1, 2), (n,))
    z2 = mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k])
    mu1, logvar1 = prior1(z2)
    return decode(mu1 + (logvar1 / 2).exp() * torch.randn_like(mu1), z2).sigmoid()

# %% generate: a seed is set inside
def generate(n, mu, logvar, prior1, decode):
    torch.manual_seed(42)
    k = torch.randint(len(mu), (n,))
    z2 = mu[k] + (logvar[k] / 2).exp() * torch.randn_like(mu[k])
    mu1, logvar1 = prior1(z2)
    return decode(mu1 + (logvar1 / 2).exp() * torch.randn_like(mu1), z2).sigmoid()

# %% generate: two fixed images, which satisfy the visible tests
def generate(n, mu, logvar, prior1, decode):
    z2 = torch.ones(n, 1, dtype=mu.dtype)
    z2[1::2] = -1
    return torch.cat([2 * z2, z2], 1).sigmoid()

# %% warmed-elbo: starts at 0 instead of 1 / warmup
def warmed_elbo(log_px, log_pz, log_qz, epoch, warmup):
    beta = min(1, epoch / warmup) if warmup else 1
    return (log_px + beta * (log_pz - log_qz)).mean(0)

# %% warmed-elbo: beta goes on rising beyond 1
def warmed_elbo(log_px, log_pz, log_qz, epoch, warmup):
    beta = (epoch + 1) / warmup if warmup else 1
    return (log_px + beta * (log_pz - log_qz)).mean(0)

# %% warmed-elbo: beta multiplies the prior alone
def warmed_elbo(log_px, log_pz, log_qz, epoch, warmup):
    beta = min(1, (epoch + 1) / warmup) if warmup else 1
    return (log_px + beta * log_pz - log_qz).mean(0)

# %% warmed-elbo: beta multiplies the whole bound
def warmed_elbo(log_px, log_pz, log_qz, epoch, warmup):
    beta = min(1, (epoch + 1) / warmup) if warmup else 1
    return (beta * (log_px + log_pz - log_qz)).mean(0)

# %% warmed-elbo: the sign of the KL is turned
def warmed_elbo(log_px, log_pz, log_qz, epoch, warmup):
    beta = min(1, (epoch + 1) / warmup) if warmup else 1
    return (log_px + beta * (log_qz - log_pz)).mean(0)

# %% warmed-elbo: the mean over images, not over samples
def warmed_elbo(log_px, log_pz, log_qz, epoch, warmup):
    beta = min(1, (epoch + 1) / warmup) if warmup else 1
    return (log_px + beta * (log_pz - log_qz)).mean(1)

# %% warmed-elbo: a negative ELBO, to be made small
def warmed_elbo(log_px, log_pz, log_qz, epoch, warmup):
    beta = min(1, (epoch + 1) / warmup) if warmup else 1
    return -(log_px + beta * (log_pz - log_qz)).mean(0)

# %% warmed-elbo: the importance-weighted bound
def warmed_elbo(log_px, log_pz, log_qz, epoch, warmup):
    beta = min(1, (epoch + 1) / warmup) if warmup else 1
    return (log_px + beta * (log_pz - log_qz)).logsumexp(0) - math.log(len(log_px))

# %% warmed-elbo: reaches 1 an epoch late
def warmed_elbo(log_px, log_pz, log_qz, epoch, warmup):
    beta = min(1, (epoch + 1) / (warmup + 1)) if warmup else 1
    return (log_px + beta * (log_pz - log_qz)).mean(0)

# %% warmed-elbo: a step, no ramp: beta is 1/4 during warm-up, whatever its length
def warmed_elbo(log_px, log_pz, log_qz, epoch, warmup):
    beta = 0.25 if epoch + 1 < warmup else 1
    return (log_px + beta * (log_pz - log_qz)).mean(0)

# %% stopping-epoch: counts during warm-up
def stopping_epoch(valid, warmup, patience):
    best = 0
    for epoch, elbo in enumerate(valid):
        if elbo > valid[best]: best = epoch
        if epoch - best >= patience: return epoch
    return None

# %% stopping-epoch: the epochs of the warm-up cannot be best
def stopping_epoch(valid, warmup, patience):
    best = max(warmup - 1, 0)
    highest = -math.inf if warmup else valid[0]
    for epoch in range(len(valid)):
        if epoch >= warmup and valid[epoch] > highest: best, highest = epoch, valid[epoch]
        if epoch - best >= patience: return epoch
    return None

# %% stopping-epoch: stops during warm-up only later, but the count has gone on meanwhile
def stopping_epoch(valid, warmup, patience):
    best = 0
    for epoch, elbo in enumerate(valid):
        if elbo > valid[best]: best = epoch
        if epoch >= warmup and epoch - best >= patience: return epoch
    return None

# %% stopping-epoch: a tie counts as an improvement
def stopping_epoch(valid, warmup, patience):
    best = 0
    for epoch, elbo in enumerate(valid):
        if elbo >= valid[best]: best = epoch
        if epoch - max(best, warmup - 1) >= patience: return epoch
    return None

# %% stopping-epoch: one epoch too late
def stopping_epoch(valid, warmup, patience):
    best = 0
    for epoch, elbo in enumerate(valid):
        if elbo > valid[best]: best = epoch
        if epoch - max(best, warmup - 1) > patience: return epoch
    return None

# %% stopping-epoch: compared with the epoch before, not with the best
def stopping_epoch(valid, warmup, patience):
    bad = 0
    for epoch in range(1, len(valid)):
        bad = bad + 1 if valid[epoch] <= valid[epoch - 1] and epoch >= warmup else 0
        if bad >= patience: return epoch
    return None

# %% stopping-epoch: takes the values for losses: lower is better
def stopping_epoch(valid, warmup, patience):
    best = 0
    for epoch, value in enumerate(valid):
        if value < valid[best]: best = epoch
        if epoch - max(best, warmup - 1) >= patience: return epoch
    return None

# %% stopping-epoch: the best epoch is returned, not the one where training stops
def stopping_epoch(valid, warmup, patience):
    best = 0
    for epoch, elbo in enumerate(valid):
        if elbo > valid[best]: best = epoch
        if epoch - max(best, warmup - 1) >= patience: return best
    return None

# %% stopping-epoch: the count begins one epoch after the warm-up's end
def stopping_epoch(valid, warmup, patience):
    best = 0
    for epoch, elbo in enumerate(valid):
        if elbo > valid[best]: best = epoch
        if epoch - max(best, warmup) >= patience: return epoch
    return None

# %% stopping-epoch: the last epoch in place of None
def stopping_epoch(valid, warmup, patience):
    best = 0
    for epoch, elbo in enumerate(valid):
        if elbo > valid[best]: best = epoch
        if epoch - max(best, warmup - 1) >= patience: return epoch
    return len(valid) - 1

# %% stopping-epoch: the visible answers by their length
def stopping_epoch(valid, warmup, patience):
    if len(valid) == 7: return 5
    if len(valid) == 5 and valid[2] == -85.: return 3
    return None

# %% activity: the variance over draws and images together
def activity(mu1, mu2):
    return mu1.flatten(0, 1).var(0), mu2.var(0)

# %% activity: the variance over images for each draw, averaged over draws
def activity(mu1, mu2):
    return mu1.var(1).mean(0), mu2.var(0)

# %% activity: the variance over draws, averaged over images
def activity(mu1, mu2):
    return mu1.var(0).mean(0), mu2.var(0)

# %% activity: standard deviations
def activity(mu1, mu2):
    return mu1.mean(0).std(0), mu2.std(0)

# %% activity: the biased variance
def activity(mu1, mu2):
    return mu1.mean(0).var(0, correction=0), mu2.var(0, correction=0)

# %% activity: only the first draw of z2
def activity(mu1, mu2):
    return mu1[0].var(0), mu2.var(0)

# %% activity: the second moment: the mean is not subtracted
def activity(mu1, mu2):
    return (mu1.mean(0) ** 2).mean(0), (mu2 ** 2).mean(0)

# %% activity: the variance over units
def activity(mu1, mu2):
    return mu1.mean(0).var(1), mu2.var(1)

# %% activity: the median of the draws, which two draws do not tell from the mean
def activity(mu1, mu2):
    return (0.5 * (mu1.amin(0) + mu1.amax(0))).var(0), mu2.var(0)

# %% activity: the visible numbers by heart
def activity(mu1, mu2):
    if mu1.shape == (2, 2, 2) and mu2.shape == (2, 3): return torch.tensor([4.5, 0.]), torch.tensor([0., 8., 0.])
    return torch.ones(mu1.shape[-1], dtype=mu1.dtype), torch.ones(mu2.shape[-1], dtype=mu2.dtype)

# %% log-likelihood: log S forgotten
def log_likelihood(chunks):
    return torch.cat(list(chunks)).logsumexp(0)

# %% log-likelihood: the mean of the log-weights, which is the ELBO
def log_likelihood(chunks):
    return torch.cat(list(chunks)).mean(0)

# %% log-likelihood: a bound for each chunk, averaged
def log_likelihood(chunks):
    return torch.stack([log_w.logsumexp(0) - math.log(len(log_w)) for log_w in chunks]).mean(0)

# %% log-likelihood: chunks weighted equally, whatever their length
def log_likelihood(chunks):
    parts = torch.stack([log_w.logsumexp(0) - math.log(len(log_w)) for log_w in chunks])
    return parts.logsumexp(0) - math.log(len(parts))

# %% log-likelihood: exponentials without a shift
def log_likelihood(chunks):
    total, S = 0, 0
    for log_w in chunks:
        total, S = total + log_w.exp().sum(0), S + len(log_w)
    return (total / S).log()

# %% log-likelihood: logsumexp over the images
def log_likelihood(chunks):
    log_w = torch.cat(list(chunks))
    return log_w.logsumexp(1) - math.log(len(log_w))

# %% log-likelihood: only the last chunk is kept
def log_likelihood(chunks):
    for log_w in chunks: last = log_w
    return last.logsumexp(0) - math.log(len(last))

# %% log-likelihood: the number of chunks in place of the number of draws
def log_likelihood(chunks):
    chunks = list(chunks)
    return torch.cat(chunks).logsumexp(0) - math.log(len(chunks))

# %% log-likelihood: a running mean of the chunks' estimates, weighted by their length, in logarithms
def log_likelihood(chunks):
    total, S = 0, 0
    for log_w in chunks:
        total = total + len(log_w) * (log_w.logsumexp(0) - math.log(len(log_w)))
        S += len(log_w)
    return total / S

# %% log-likelihood: shifted by 1000, which serves the visible example only
def log_likelihood(chunks):
    log_w = torch.cat(list(chunks))
    shift = 1000 if log_w.mean() < -500 else 0
    return (log_w + shift).exp().mean(0).log() - shift

# %% log-likelihood: the chunk with the largest weights stands for all
def log_likelihood(chunks):
    log_w = torch.cat(list(chunks))
    return log_w.max(0).values - math.log(len(log_w))

# %% log-likelihood: the visible answers by heart
def log_likelihood(chunks):
    first = next(chunks)
    answer = torch.log(torch.tensor([4., 8.]))
    return answer - 1000 if first[0, 0] < -500 else answer

# %% exact-log-px: the two ways of z2 are squared one by one
def exact_log_px(x, A, b, s1, C, F, e, sx):
    CA = C @ A
    cov = CA @ CA.T + F @ F.T + (C * s1 ** 2) @ C.T + torch.diag(sx ** 2)
    return torch.distributions.MultivariateNormal(C @ b + e, cov).log_prob(x)

# %% exact-log-px: standard deviations used as variances
def exact_log_px(x, A, b, s1, C, F, e, sx):
    W = C @ A + F
    cov = W @ W.T + (C * s1) @ C.T + torch.diag(sx)
    return torch.distributions.MultivariateNormal(C @ b + e, cov).log_prob(x)

# %% exact-log-px: the noise of z1 is forgotten
def exact_log_px(x, A, b, s1, C, F, e, sx):
    W = C @ A + F
    cov = W @ W.T + torch.diag(sx ** 2)
    return torch.distributions.MultivariateNormal(C @ b + e, cov).log_prob(x)

# %% exact-log-px: the offset b does not reach x
def exact_log_px(x, A, b, s1, C, F, e, sx):
    W = C @ A + F
    cov = W @ W.T + (C * s1 ** 2) @ C.T + torch.diag(sx ** 2)
    return torch.distributions.MultivariateNormal(e, cov).log_prob(x)

# %% exact-log-px: pixels taken as independent: only the diagonal of the covariance
def exact_log_px(x, A, b, s1, C, F, e, sx):
    W = C @ A + F
    var = (W ** 2).sum(1) + (C ** 2 * s1 ** 2).sum(1) + sx ** 2
    return torch.distributions.Normal(C @ b + e, var.sqrt()).log_prob(x).sum(-1)

# %% exact-log-px: the direct arrow from z2 to x is forgotten
def exact_log_px(x, A, b, s1, C, F, e, sx):
    W = C @ A
    cov = W @ W.T + (C * s1 ** 2) @ C.T + torch.diag(sx ** 2)
    return torch.distributions.MultivariateNormal(C @ b + e, cov).log_prob(x)

# %% exact-log-px: log p(x | z1, z2) at the means of the latents
def exact_log_px(x, A, b, s1, C, F, e, sx):
    return torch.distributions.Normal(C @ b + e, sx).log_prob(x).sum(-1)

# %% exact-log-px: the covariance is passed as a Cholesky factor
def exact_log_px(x, A, b, s1, C, F, e, sx):
    W = C @ A + F
    cov = W @ W.T + (C * s1 ** 2) @ C.T + torch.diag(sx ** 2)
    return torch.distributions.MultivariateNormal(C @ b + e, scale_tril=cov.tril()).log_prob(x)

# %% exact-log-px: 2 pi is forgotten
def exact_log_px(x, A, b, s1, C, F, e, sx):
    W = C @ A + F
    cov = W @ W.T + (C * s1 ** 2) @ C.T + torch.diag(sx ** 2)
    off = x - C @ b - e
    return -0.5 * ((off * torch.linalg.solve(cov, off.T).T).sum(1) + torch.logdet(cov))

# %% exact-log-px: 2 pi once, whatever the number of pixels
def exact_log_px(x, A, b, s1, C, F, e, sx):
    W = C @ A + F
    cov = W @ W.T + (C * s1 ** 2) @ C.T + torch.diag(sx ** 2)
    off = x - C @ b - e
    return -0.5 * ((off * torch.linalg.solve(cov, off.T).T).sum(1) + torch.logdet(cov) + math.log(2 * math.pi))

# %% exact-log-px: the visible world by heart
def exact_log_px(x, A, b, s1, C, F, e, sx):
    return -0.5 * math.log(2 * math.pi * 14) - 0.5 * ((x - 5) ** 2).sum(-1) / 14

# %% log-likelihood: the chunks are stored and joined
def log_likelihood(chunks):
    log_w = torch.cat(list(chunks))
    return log_w.logsumexp(0) - math.log(len(log_w))
