"""Losses, gradients and updates of two small models, by PyTorch in double precision: what torch-values.json holds.

Run it in this folder with a Python that has PyTorch (Debian: python3-torch); it overwrites the file.
The models are those of torch.test.ts, operation by operation.
"""
import json
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

B, T, HEADS, HEAD_DIM, VOCABULARY = 2, 5, 2, 4, 7
WIDTH = HEADS * HEAD_DIM
IDS = torch.tensor([(i * i + 3 * i) % VOCABULARY for i in range(B * T)])
TARGETS = torch.tensor([-1 if i % 4 == 3 else (2 * i + 1) % VOCABULARY for i in range(B * T)])


def numbers(order, shape):
    """The value of every parameter: multiples of 1/128 by its place in the order of parameters."""
    count = math.prod(shape)
    values = [((i * 37 + order * 11) % 101 - 50) / 128 for i in range(count)]
    return torch.tensor(values).reshape(shape).requires_grad_()


def attention(q, k, v, kv_heads):
    q = q.view(B, T, HEADS, HEAD_DIM).transpose(1, 2)
    k = k.view(B, T, kv_heads, HEAD_DIM).transpose(1, 2).repeat_interleave(HEADS // kv_heads, dim=1)
    v = v.view(B, T, kv_heads, HEAD_DIM).transpose(1, 2).repeat_interleave(HEADS // kv_heads, dim=1)
    scores = q @ k.transpose(-2, -1) / math.sqrt(HEAD_DIM)
    hidden = torch.triu(torch.ones(T, T, dtype=torch.bool), 1)
    out = F.softmax(scores.masked_fill(hidden, -math.inf), dim=-1) @ v
    return out.transpose(1, 2).reshape(B * T, WIDTH)


def rope(x, heads, theta):
    half = HEAD_DIM // 2
    angles = torch.outer(torch.arange(T), theta ** (-torch.arange(half) * 2 / HEAD_DIM))
    cosine, sine = torch.cos(angles)[:, None, :], torch.sin(angles)[:, None, :]
    a, b = x.view(B, T, heads, HEAD_DIM).split(half, dim=-1)
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], dim=-1).reshape(B * T, heads * HEAD_DIM)


def rms(x, gain=None):
    normal = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)
    return normal if gain is None else normal * gain


def gpt(p):
    x = p["table"][IDS] + p["positions"].repeat(B, 1)
    h = F.layer_norm(x, (WIDTH,), p["gain"], p["bias"], 1e-5)
    q, k, v = F.linear(h, p["qkv"]).split(WIDTH, dim=-1)
    x = x + F.linear(attention(q, k, v, HEADS), p["proj"], p["projBias"])
    h = F.linear(F.layer_norm(x, (WIDTH,), None, None, 1e-5), p["up"])
    x = x + F.linear(F.gelu(h) + F.gelu(h, approximate="tanh"), p["down"])
    return F.linear(F.layer_norm(x, (WIDTH,), p["lastGain"], None, 1e-5), p["table"])


def llama(p):
    x = p["table"][IDS]
    h = rms(x, p["gain"])
    q, k, v = h @ p["q"], h @ p["k"], h @ p["v"]
    q, k = rope(q, HEADS, 100.0), rope(k, 1, 100.0)
    x = x + attention(q, k, v, 1) @ p["proj"]
    h = rms(x)
    x = x + (F.silu(h @ p["gate"]) * (h @ p["up"])) @ p["down"] + F.relu(h @ p["square"]).pow(2)
    return 1.5 * torch.tanh(rms(x) @ p["head"] / 1.5)


MODELS = {
    "gpt": (gpt, {
        "table": [VOCABULARY, WIDTH], "positions": [T, WIDTH], "gain": [WIDTH], "bias": [WIDTH],
        "qkv": [3 * WIDTH, WIDTH], "proj": [WIDTH, WIDTH], "projBias": [WIDTH],
        "up": [12, WIDTH], "down": [WIDTH, 12], "lastGain": [WIDTH],
    }),
    "llama": (llama, {
        "table": [VOCABULARY, WIDTH], "gain": [WIDTH], "q": [WIDTH, WIDTH], "k": [WIDTH, HEAD_DIM],
        "v": [WIDTH, HEAD_DIM], "proj": [WIDTH, WIDTH], "gate": [WIDTH, 12], "up": [WIDTH, 12],
        "down": [12, WIDTH], "square": [WIDTH, WIDTH], "head": [WIDTH, VOCABULARY],
    }),
}


def digits(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


class Muon:
    """Momentum made orthogonal, after Jordan et al. 2024; weights are (outputs, inputs), or transposed where named so."""

    def __init__(self, parameters, transposed, lr=0.02, momentum=0.9, weight_decay=0.1):
        self.parameters, self.transposed = parameters, transposed
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.averages = {name: torch.zeros_like(value) for name, value in parameters.items()}

    @torch.no_grad()
    def step(self):
        for name, value in self.parameters.items():
            average = self.averages[name]
            average.lerp_(value.grad, 1 - self.momentum)
            ahead = value.grad.lerp(average, self.momentum)
            inputs, outputs = ahead.shape if name in self.transposed else ahead.T.shape
            value.mul_(1 - self.lr * self.weight_decay)
            value.sub_(self.lr * math.sqrt(max(1, outputs / inputs)) * orthogonal(ahead))


def orthogonal(matrix):
    """The singular value decomposition's vectors, with values that went five times through the quintic."""
    left, values, right = torch.linalg.svd(matrix / (matrix.norm() + 1e-7), full_matrices=False)
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return left @ torch.diag(values) @ right


def record(model, shapes, muon=(), transposed=()):
    parameters = {name: numbers(order, shape) for order, (name, shape) in enumerate(shapes.items())}
    rest = [value for name, value in parameters.items() if name not in muon]
    optimizer = torch.optim.AdamW(rest, lr=0.01, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    matrices = Muon({name: parameters[name] for name in muon}, transposed)
    losses, gradients, norms = [], {}, []
    for step in range(3):
        for parameter in parameters.values():
            parameter.grad = None
        loss = F.cross_entropy(model(parameters), TARGETS, ignore_index=-1)
        loss.backward()
        losses.append(float(f"{loss.item():.12g}"))
        if step == 0:
            gradients = {name: digits(value.grad) for name, value in parameters.items()}
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), 0.2)
        norms.append(float(f"{norm.item():.12g}"))
        optimizer.step()
        matrices.step()
    return {
        "shapes": shapes,
        "losses": losses,
        "norms": norms,
        "gradients": gradients,
        "updated": {name: digits(value) for name, value in parameters.items()},
    }


LLAMA_MATRICES = ["q", "k", "v", "proj", "gate", "up", "down", "square"]
values = {name: record(model, shapes) for name, (model, shapes) in MODELS.items()}
# Wide, tall and square ones, stored both ways round.
values["gptMuon"] = record(*MODELS["gpt"], muon=["qkv", "proj", "up", "down"])
values["llamaMuon"] = record(*MODELS["llama"], muon=LLAMA_MATRICES, transposed=LLAMA_MATRICES)
with open("torch-values.json", "w", encoding="utf-8") as file:
    json.dump({"torch": torch.__version__, "models": values}, file, separators=(",", ":"))
    file.write("\n")
