"""GPTs in PyTorch as nanoGPT, nanochat and Llama have them, by the configuration and the names of `lockstep lm`, and how they
are trained: what lm_torch_train.py and lm_torch_gradients.py run.

Written after the sources that it is named after, and not after ours: A. Karpathy, nanoGPT (`model.py`, `train.py`) and
nanochat (`gpt.py`, `base_train.py`); Jordan et al. 2024 (Muon).
"""
import math

import numpy
import torch
import torch.nn.functional as F

LAYER_NORM_EPS = 1e-5
RMS_NORM_EPS = 2.0**-23
MOMENTUM_RISE = 400
REFERENCE_TOKENS = 2**19
REFERENCE_WIDTH, REFERENCE_LAYERS = 768, 12


def read_tensors(specs, path, dtype=torch.float32):
    """Raw float32 numbers, tensor by tensor, to parameters by name."""
    numbers, tensors, at = numpy.fromfile(path, dtype="<f4"), {}, 0
    for spec in specs:
        count = math.prod(spec["shape"])
        part = torch.from_numpy(numbers[at : at + count].copy()).to(dtype).reshape(spec["shape"])
        tensors[spec["name"]] = part.requires_grad_()
        at += count
    return tensors


def read_batches(path, rows, context):
    """Raw int32 numbers: of each batch its inputs, then its targets. @returns shape (batches, 2, rows, context)"""
    return torch.from_numpy(numpy.fromfile(path, dtype="<i4").astype("int64")).reshape(-1, 2, rows, context)


def rms(x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + RMS_NORM_EPS)


class Gpt:
    def __init__(self, config, tensors):
        self.c, self.p = config, tensors
        context, width = config["context"], config["headWidth"]
        dtype = tensors["transformer.wte.weight"].dtype
        powers = torch.arange(0, width, 2, dtype=torch.float64) / width
        angles = torch.outer(torch.arange(context, dtype=torch.float64), config["ropeTheta"] ** -powers)
        self.cosine, self.sine = torch.cos(angles).to(dtype), torch.sin(angles).to(dtype)
        self.later = torch.triu(torch.ones(context, context, dtype=torch.bool), 1)

    def loss(self, inputs, targets):
        """Mean over the targets that are not -1, nats."""
        return F.cross_entropy(self.logits(inputs).flatten(0, 1), targets.flatten(), ignore_index=-1)

    def logits(self, ids):
        c, p = self.c, self.p
        x = p["transformer.wte.weight"][ids]
        if c["positions"] == "learned":
            x = x + p["transformer.wpe.weight"]
        if c["embeddingNorm"]:
            x = rms(x)
        for layer in range(c["layers"]):
            name = f"transformer.h.{layer}"
            x = x + self.attention(f"{name}.attn", self.norm(f"{name}.ln_1", x))
            x = x + self.feed_forward(f"{name}.mlp", self.norm(f"{name}.ln_2", x))
        head = "transformer.wte" if c["tied"] else "lm_head"
        logits = self.linear(head, self.norm("transformer.ln_f", x))
        return logits if c["softcap"] == 0 else c["softcap"] * torch.tanh(logits / c["softcap"])

    def linear(self, name, x):
        return F.linear(x, self.p[f"{name}.weight"])

    def norm(self, name, x):
        kind = self.c["norm"]
        if kind == "none":
            return x
        if kind == "layer":
            gain = self.p[f"{name}.weight"]
            return F.layer_norm(x, gain.shape, gain, None, LAYER_NORM_EPS)
        return rms(x) if kind == "rms-plain" else rms(x) * self.p[f"{name}.weight"]

    def attention(self, name, x):
        c, (rows, context, _) = self.c, x.shape
        heads = lambda part, count: self.linear(f"{name}.{part}", x).view(rows, context, count, c["headWidth"])
        q, k, v = heads("c_q", c["heads"]), heads("c_k", c["kvHeads"]), heads("c_v", c["kvHeads"])
        if c["positions"] == "rope":
            q, k = self.turn(q), self.turn(k)
        if c["qkNorm"] != 0:
            q, k = c["qkNorm"] * rms(q), c["qkNorm"] * rms(k)
        shared = c["heads"] // c["kvHeads"]
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        if shared > 1:
            k, v = k.repeat_interleave(shared, dim=1), v.repeat_interleave(shared, dim=1)
        scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(c["headWidth"]))
        seen = F.softmax(scores.masked_fill(self.later, -math.inf), dim=-1) @ v
        return self.linear(f"{name}.c_proj", seen.transpose(1, 2).reshape(rows, context, -1))

    def turn(self, x):
        a, b = x.chunk(2, dim=-1)
        cosine, sine = self.cosine[:, None, :], self.sine[:, None, :]
        return torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1)

    def feed_forward(self, name, x):
        up, activation = self.linear(f"{name}.c_fc", x), self.c["activation"]
        if activation == "swiglu":
            inner = F.silu(self.linear(f"{name}.c_gate", x)) * up
        else:
            inner = F.gelu(up) if activation == "gelu" else F.relu(up).square()
        return self.linear(f"{name}.c_proj", inner)


class Muon:
    """Momentum as Nesterov's, made orthogonal by five Newton-Schulz steps."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.averages = [torch.zeros_like(parameter) for parameter in parameters]

    @torch.no_grad()
    def step(self, rate, momentum, decay):
        for parameter, average in zip(self.parameters, self.averages):
            average.lerp_(parameter.grad, 1 - momentum)
            update = orthogonal(parameter.grad.lerp(average, momentum))
            parameter.mul_(1 - rate * decay)
            parameter.add_(update, alpha=-rate * max(1, parameter.shape[0] / parameter.shape[1]) ** 0.5)


def orthogonal(x):
    is_tall = x.shape[0] > x.shape[1]
    x = x.T if is_tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    return x.T if is_tall else x


class NanoGptOptimizer:
    """AdamW over all; cosine with a warm-up; the gradient's length is limited."""

    def __init__(self, run, model, tensors):
        o, self.run, self.parameters = run["optimizer"], run, list(tensors.values())
        multiplied = [parameter for parameter in self.parameters if parameter.dim() >= 2]
        gains = [parameter for parameter in self.parameters if parameter.dim() < 2]
        groups = [{"params": multiplied, "weight_decay": o["weightDecay"]}, {"params": gains, "weight_decay": 0.0}]
        groups = [group for group in groups if group["params"]]
        self.adamw = torch.optim.AdamW(groups, lr=o["learningRate"], betas=(o["beta1"], o["beta2"]), eps=o["eps"])

    def step(self, it):
        o, s, steps = self.run["optimizer"], self.run["schedule"], self.run["steps"]
        least, warmup = s["finalShare"] * o["learningRate"], s["warmup"]
        if it < warmup:
            rate = o["learningRate"] * (it + 1) / (warmup + 1)
        else:
            wave = 0.5 * (1 + math.cos(math.pi * (it - warmup) / (steps - warmup)))
            rate = least + wave * (o["learningRate"] - least)
        for group in self.adamw.param_groups:
            group["lr"] = rate
        torch.nn.utils.clip_grad_norm_(self.parameters, o["clip"])
        self.adamw.step()
        self.adamw.zero_grad(set_to_none=True)


class NanochatOptimizer:
    """Muon for the layers' matrices, AdamW for the table and the head, each with rates of its own; a trapezoid."""

    def __init__(self, run, model, tensors):
        self.run = run
        batch = math.sqrt(run["data"]["rows"] * model["context"] / REFERENCE_TOKENS)
        width = (model["width"] / REFERENCE_WIDTH) ** -0.5
        scaling = lambda wide, deep: deep * 12 * wide * wide + model["vocabulary"] * wide
        size = scaling(REFERENCE_WIDTH, REFERENCE_LAYERS) / scaling(model["width"], model["layers"])
        eps = run["optimizer"]["eps"]
        group = lambda name, rate, betas, decay: {
            **{"params": [tensors[name]], "initial": rate * batch * width, "lr": 0.0},
            **{"betas": betas, "weight_decay": decay, "eps": eps},
        }
        self.adamw = torch.optim.AdamW([
            group("transformer.wte.weight", 0.3, (0.8, 0.995), 0.001),
            group("lm_head.weight", 0.008, (0.8, 0.96), 0.01),
        ])
        self.muon = Muon([tensor for name, tensor in tensors.items() if name.startswith("transformer.h.")])
        self.muon_rate = run["optimizer"]["learningRate"] * batch
        self.muon_decay = run["optimizer"]["weightDecay"] * batch * size

    def step(self, it):
        steps, s = self.run["steps"], self.run["schedule"]
        falling = round(s["warmdown"] * steps)
        if it < s["warmup"]:
            share = (it + 1) / s["warmup"]
        elif it <= steps - falling:
            share = 1.0
        else:
            share = (steps - it) / falling + (1 - (steps - it) / falling) * s["finalShare"]
        if it < MOMENTUM_RISE:
            momentum = 0.85 + (0.97 - 0.85) * it / MOMENTUM_RISE
        elif it >= steps - falling:
            momentum = 0.97 + (0.90 - 0.97) * (1 - (steps - it) / falling)
        else:
            momentum = 0.97
        decay = self.muon_decay * 0.5 * (1 + math.cos(math.pi * it / steps))
        for group in self.adamw.param_groups:
            group["lr"] = share * group["initial"]
        self.adamw.step()
        self.muon.step(share * self.muon_rate, momentum, decay)
        self.adamw.zero_grad(set_to_none=True)
        for parameter in self.muon.parameters:
            parameter.grad = None
