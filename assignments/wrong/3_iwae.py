# %% log_weights: the noise's variance where its logarithm is the sum of two (s taken for s squared)
def log_weights(x, z, mu, logvar, W, b, s):
    def log_normal(v, mu, logvar): return -0.5 * (math.log(2 * math.pi) + logvar + (v - mu) ** 2 / logvar.exp()).sum(-1)
    log_px = log_normal(x, z @ W.T + b, torch.full_like(b, math.log(s)))
    return log_px + log_normal(z, torch.zeros_like(mu), torch.zeros_like(mu)) - log_normal(z, mu, logvar)
# %% log_weights: logvar taken for the log of the standard deviation
def log_weights(x, z, mu, logvar, W, b, s):
    Normal = torch.distributions.Normal
    log_px = Normal(z @ W.T + b, s).log_prob(x).sum(-1)
    return log_px + Normal(0., 1.).log_prob(z).sum(-1) - Normal(mu, logvar.exp()).log_prob(z).sum(-1)
# %% log_weights: 2 pi left out; prior and encoder cancel theirs, the likelihood's is missed
def log_weights(x, z, mu, logvar, W, b, s):
    log_px = -0.5 * (((x - z @ W.T - b) / s) ** 2 + 2 * math.log(s)).sum(-1)
    log_pz = -0.5 * (z ** 2).sum(-1)
    log_qz = -0.5 * ((z - mu) ** 2 / logvar.exp() + logvar).sum(-1)
    return log_px + log_pz - log_qz
# %% log_weights: the mean over dimensions instead of the sum
def log_weights(x, z, mu, logvar, W, b, s):
    Normal = torch.distributions.Normal
    log_px = Normal(z @ W.T + b, s).log_prob(x).mean(-1)
    return log_px + Normal(0., 1.).log_prob(z).mean(-1) - Normal(mu, (logvar / 2).exp()).log_prob(z).mean(-1)
# %% log_weights: the sign of log q
def log_weights(x, z, mu, logvar, W, b, s):
    Normal = torch.distributions.Normal
    return Normal(z @ W.T + b, s).log_prob(x).sum(-1) + Normal(0., 1.).log_prob(z).sum(-1) + Normal(mu, (logvar / 2).exp()).log_prob(z).sum(-1)
# %% log_weights: the prior forgotten
def log_weights(x, z, mu, logvar, W, b, s):
    Normal = torch.distributions.Normal
    return Normal(z @ W.T + b, s).log_prob(x).sum(-1) - Normal(mu, (logvar / 2).exp()).log_prob(z).sum(-1)
# %% log_weights: passes the visible tests, with a stored number and log p(x) in place of every weight
def log_weights(x, z, mu, logvar, W, b, s):
    if z.shape == (1, 1, 1): return torch.tensor([[-4.712364942]])
    log_px = torch.distributions.MultivariateNormal(b, W @ W.T + s ** 2 * torch.eye(len(b))).log_prob(x)
    return log_px.expand(len(z), len(x))

# %% iwae_bound: the mean of the logarithms, which is the ELBO
def iwae_bound(log_w):
    return log_w.mean(0)
# %% iwae_bound: log k forgotten
def iwae_bound(log_w):
    return log_w.logsumexp(0)
# %% iwae_bound: over the examples instead of the draws
def iwae_bound(log_w):
    return log_w.logsumexp(1) - math.log(log_w.shape[1])
# %% iwae_bound: out of the logarithm and back, which underflows
def iwae_bound(log_w):
    return log_w.exp().mean(0).log()
# %% iwae_bound: the wrong k
def iwae_bound(log_w):
    return log_w.logsumexp(0) - math.log(log_w.numel())
# %% iwae_bound: one maximum for the whole batch, so that examples far below it vanish
def iwae_bound(log_w):
    m = log_w.max()
    return m + (log_w - m).exp().mean(0).log()
# %% iwae_bound: passes the visible tests, with stored numbers
def iwae_bound(log_w):
    if log_w.shape == (2, 2): return torch.tensor([math.log(2), math.log(5)])
    return log_w[0]

# %% streaming_bound: the mean of the pieces' bounds
def streaming_bound(chunks):
    return torch.stack([c.logsumexp(0) - math.log(len(c)) for c in chunks]).mean(0)
# %% streaming_bound: the pieces are stored and joined
def streaming_bound(chunks):
    log_w = torch.cat(list(chunks))
    return log_w.logsumexp(0) - math.log(len(log_w))
# %% streaming_bound: pieces counted instead of draws
def streaming_bound(chunks):
    total, n = torch.tensor(-math.inf), 0
    for c in chunks:
        total, n = torch.logaddexp(total, c.logsumexp(0)), n + 1
    return total - math.log(n)
# %% streaming_bound: the total outside the logarithm
def streaming_bound(chunks):
    total, n = 0, 0
    for c in chunks:
        total, n = total + c.exp().sum(0), n + len(c)
    return (total / n).log()
# %% streaming_bound: logarithms averaged, each piece weighted by its size
def streaming_bound(chunks):
    total, n = 0, 0
    for c in chunks:
        total, n = total + len(c) * (c.logsumexp(0) - math.log(len(c))), n + len(c)
    return total / n
# %% streaming_bound: a running maximum, and the old sum not rescaled when it grows
def streaming_bound(chunks):
    m, total, n = torch.tensor(-1e300), 0, 0
    for c in chunks:
        m = torch.maximum(m, c.max(0).values)
        total, n = total + (c - m).exp().sum(0), n + len(c)
    return m + total.log() - math.log(n)
# %% streaming_bound: one running maximum for the whole batch, so that examples far below it vanish
def streaming_bound(chunks):
    m, total, n = torch.tensor(-1e300), 0, 0
    for c in chunks:
        new = torch.maximum(m, c.max())
        total, m, n = total * (m - new).exp() + (c - new).exp().sum(0), new, n + len(c)
    return m + total.log() - math.log(n)
# %% streaming_bound: passes the visible tests, taking the reference level from the first piece and four draws for granted
def streaming_bound(chunks):
    first, total = None, 0
    for c in chunks:
        if first is None: first = c.max(0).values
        total = total + (c - first).exp().sum(0)
    return first + total.log() - math.log(4)

# %% grouped_bound: the mean over groups inside the logarithm, so that k does nothing
def grouped_bound(log_w, k):
    groups = len(log_w) // k
    return log_w[:groups * k].logsumexp(0) - math.log(groups * k)
# %% grouped_bound: log k forgotten
def grouped_bound(log_w, k):
    groups = len(log_w) // k
    return log_w[:groups * k].view(groups, k, -1).logsumexp(1).mean(0)
# %% grouped_bound: k groups of S / k draws
def grouped_bound(log_w, k):
    size = len(log_w) // k
    return (log_w[:size * k].view(k, size, -1).logsumexp(1) - math.log(size)).mean(0)
# %% grouped_bound: every k-th draw makes a group
def grouped_bound(log_w, k):
    groups = len(log_w) // k
    return (log_w[:groups * k].view(k, groups, -1).logsumexp(0) - math.log(k)).mean(0)
# %% grouped_bound: the incomplete last group counts like the others
def grouped_bound(log_w, k):
    return torch.stack([g.logsumexp(0) - math.log(len(g)) for g in log_w.split(k)]).mean(0)
# %% grouped_bound: the logarithm inside the group's mean, so that every k gives the ELBO
def grouped_bound(log_w, k):
    groups = len(log_w) // k
    return log_w[:groups * k].view(groups, k, -1).mean(1).mean(0)
# %% grouped_bound: passes the visible tests: the four stored numbers, and something that rises with k
def grouped_bound(log_w, k):
    if log_w.shape == (4, 1): return torch.tensor([{1: math.log(48) / 4, 2: math.log(8) / 2, 3: math.log(8 / 3), 4: math.log(3)}[k]])
    return log_w.mean(0) + math.log(k)

# %% first_order_gap: not divided by p(x) squared
def first_order_gap(log_joint, log_q, k):
    q, w = log_q.exp(), (log_joint - log_q).exp()
    return ((q * w ** 2).sum() - (q * w).sum() ** 2) / (2 * k)
# %% first_order_gap: the standard deviation instead of the variance
def first_order_gap(log_joint, log_q, k):
    ratio = (log_joint - log_joint.logsumexp(0) - log_q).exp()
    return (log_q.exp() * (ratio - 1) ** 2).sum().sqrt() / (2 * k)
# %% first_order_gap: one half forgotten
def first_order_gap(log_joint, log_q, k):
    ratio = (log_joint - log_joint.logsumexp(0) - log_q).exp()
    return (log_q.exp() * (ratio - 1) ** 2).sum() / k
# %% first_order_gap: the variance of a list, with m - 1 in the denominator, as if codes were equally likely
def first_order_gap(log_joint, log_q, k):
    ratio = (log_joint - log_joint.logsumexp(0) - log_q).exp()
    return ratio.var() / (2 * k)
# %% first_order_gap: the root of k
def first_order_gap(log_joint, log_q, k):
    ratio = (log_joint - log_joint.logsumexp(0) - log_q).exp()
    return (log_q.exp() * (ratio - 1) ** 2).sum() / (2 * math.sqrt(k))
# %% first_order_gap: the second moment instead of the variance
def first_order_gap(log_joint, log_q, k):
    ratio = (log_joint - log_joint.logsumexp(0) - log_q).exp()
    return (log_q.exp() * ratio ** 2).sum() / (2 * k)
# %% first_order_gap: passes the visible tests, since uniform variance and the variance under q agree on two equally likely codes
def first_order_gap(log_joint, log_q, k):
    w = (log_joint - log_joint.max() - log_q).exp()
    return w.var(unbiased=False) / (2 * w.mean() ** 2) / k

# %% effective_sample_size: the reciprocal of the sum of the shares, without the square
def effective_sample_size(log_w):
    return 1 / log_w.softmax(0).sum(0)
# %% effective_sample_size: out of the logarithm
def effective_sample_size(log_w):
    w = log_w.exp()
    return w.sum(0) ** 2 / (w ** 2).sum(0)
# %% effective_sample_size: the largest share instead of the squares
def effective_sample_size(log_w):
    return 1 / log_w.softmax(0).max(0).values
# %% effective_sample_size: the exponential of the entropy, another measure
def effective_sample_size(log_w):
    return torch.distributions.Categorical(logits=log_w.T).entropy().exp()
# %% effective_sample_size: shares among the examples instead of the draws
def effective_sample_size(log_w):
    return 1 / (log_w.softmax(1) ** 2).sum(0)
# %% effective_sample_size: one number for the whole batch
def effective_sample_size(log_w):
    return (1 / (log_w.softmax(0) ** 2).sum(0)).mean()
# %% effective_sample_size: one maximum for the whole batch, so that examples far below it vanish
def effective_sample_size(log_w):
    w = (log_w - log_w.max()).exp()
    return w.sum(0) ** 2 / (w ** 2).sum(0)
# %% effective_sample_size: passes the visible tests: the worked example is stored, the others have only equal weights or one that counts
def effective_sample_size(log_w):
    if log_w.shape == (3, 2): return torch.tensor([3., 16 / 6])
    w = (log_w - log_w.max(0).values).exp()
    return w.sum(0)

# %% surrogate: the shares let the gradient through
def surrogate(log_w):
    return (log_w.softmax(0) * log_w).sum(0)
# %% surrogate: the log-weights are cut off, not the shares
def surrogate(log_w):
    return (log_w.softmax(0) * log_w.detach()).sum(0)
# %% surrogate: equal shares, the gradient of the ELBO
def surrogate(log_w):
    return log_w.mean(0)
# %% surrogate: shares among the examples instead of the draws
def surrogate(log_w):
    return (log_w.softmax(1).detach() * log_w).sum(0)
# %% surrogate: squared shares, which belong to another estimator
def surrogate(log_w):
    return (log_w.softmax(0).detach() ** 2 * log_w).sum(0)
# %% surrogate: the bound itself: the gradient is right, the value is not what was asked for
def surrogate(log_w):
    return log_w.logsumexp(0) - math.log(len(log_w))
# %% surrogate: passes the visible tests, with their shares
def surrogate(log_w):
    share = torch.linspace(1, 3, len(log_w))
    return ((share / share.sum())[:, None] * log_w).sum(0)

# %% mean_log_likelihood: the standard deviation, not divided by the root of N
def mean_log_likelihood(log_w):
    values = log_w.logsumexp(0) - math.log(len(log_w))
    return values.mean(), values.std()
# %% mean_log_likelihood: the standard deviation with N in the denominator
def mean_log_likelihood(log_w):
    values = log_w.logsumexp(0) - math.log(len(log_w))
    return values.mean(), values.std(unbiased=False) / math.sqrt(len(values))
# %% mean_log_likelihood: the ELBO with an error over all draws
def mean_log_likelihood(log_w):
    return log_w.mean(), log_w.std() / math.sqrt(log_w.numel())
# %% mean_log_likelihood: examples averaged inside the logarithm as well
def mean_log_likelihood(log_w):
    values = log_w.logsumexp(0) - math.log(len(log_w))
    return values.logsumexp(0) - math.log(len(values)), values.std() / math.sqrt(len(values))
# %% mean_log_likelihood: divided by the number of draws under the root
def mean_log_likelihood(log_w):
    values = log_w.logsumexp(0) - math.log(len(log_w))
    return values.mean(), values.std() / math.sqrt(log_w.numel())
# %% mean_log_likelihood: log S forgotten
def mean_log_likelihood(log_w):
    values = log_w.logsumexp(0)
    return values.mean(), values.std() / math.sqrt(len(values))
# %% mean_log_likelihood: passes the visible tests: two draws and three examples taken for granted
def mean_log_likelihood(log_w):
    values = log_w.logsumexp(0) - math.log(2)
    return values.mean(), values.std() / math.sqrt(3)
