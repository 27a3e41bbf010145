"""The peer of `npm run bench -- lm`: training steps and products of matrices in PyTorch, one thread, CPU time.

Reads a plan as JSON, {"gemm": [n, …], "steps": [{"config", "layers", "heads", "width", "T", "B", "vocabulary", "steps"}]};
prints {"torch", "blas", "gemm": [GFLOP/s, …], "steps": [ms, …]}, the fastest of each.
"""
import json
import math
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
EPS = 1e-5


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.layer_norm(x, self.gain.shape, self.gain, None, EPS)


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, self.heads = c["width"], c["heads"]
        self.norms = nn.ModuleList([Norm(width), Norm(width)])
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        self.register_buffer("hidden", torch.triu(torch.ones(c["T"], c["T"], dtype=torch.bool), 1))

    def forward(self, x):
        B, T, width = x.shape
        parts = self.qkv(self.norms[0](x)).split(width, dim=2)
        q, k, v = (part.view(B, T, self.heads, width // self.heads).transpose(1, 2) for part in parts)
        scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(width // self.heads))
        mixed = F.softmax(scores.masked_fill(self.hidden, -math.inf), dim=-1) @ v
        x = x + self.proj(mixed.transpose(1, 2).reshape(B, T, width))
        return x + self.down(F.gelu(self.up(self.norms[1](x))))


class Gpt(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.table = nn.Embedding(c["vocabulary"], c["width"])
        self.positions = nn.Embedding(c["T"], c["width"])
        self.layers = nn.ModuleList([Layer(c) for _ in range(c["layers"])])
        self.norm = Norm(c["width"])
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, 0, 0.02)

    def forward(self, ids, targets):
        x = self.table(ids) + self.positions(torch.arange(ids.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return F.cross_entropy(F.linear(self.norm(x), self.table.weight).flatten(0, 1), targets.flatten())


def fastest(times, act):
    act()
    best = math.inf
    for _ in range(times):
        start = time.process_time()
        act()
        best = min(best, time.process_time() - start)
    return best


def step_ms(c):
    model = Gpt(c)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
    rows = torch.arange(c["B"] * c["T"] + 1)
    tokens = (rows * 7 + rows * rows * 3) % c["vocabulary"]
    ids, targets = tokens[:-1].view(c["B"], c["T"]), tokens[1:].view(c["B"], c["T"])

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = model(ids, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return 1000 * fastest(c["steps"], step)


def gemm_gflops(n):
    a, b, out = torch.randn(n, n), torch.randn(n, n), torch.empty(n, n)
    times = max(3, int(2e9 / n**3))
    return 2e-9 * n**3 / fastest(times, lambda: torch.mm(a, b, out=out))


def blas():
    with open("/proc/self/maps", encoding="utf-8") as maps:
        found = {line.split("/")[-1].strip() for line in maps if "blas" in line}
    return ", ".join(sorted(found)) or "built in"


plan = json.load(sys.stdin)
gemm = [gemm_gflops(n) for n in plan["gemm"]]
steps = [step_ms(config) for config in plan["steps"]]
print(json.dumps({"torch": torch.__version__, "blas": blas(), "gemm": gemm, "steps": steps}))
