"""A GPT of one layer, number by number in plain Python: what the scalar engine of `lockstep lm` is held against.

Reads one JSON object on standard input: config (heads, width, context, eps), weights (name -> rows), rows of tokens and of
targets, one pair for each step, and AdamW's rates. Writes one: the loss of each step, and CPU seconds of all of them.
"""

import json
import math
import sys
import time


class Value:
    """A number, what it was made of, and its slopes by these."""

    __slots__ = ("data", "grad", "operands", "slopes")

    def __init__(self, data, operands=(), slopes=()):
        self.data = data
        self.grad = 0.0
        self.operands = operands
        self.slopes = slopes

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent):
        return Value(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def exp(self):
        power = math.exp(self.data)
        return Value(power, (self,), (power,))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def relu(self):
        return Value(max(0.0, self.data), (self,), (1.0 if self.data > 0 else 0.0,))

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, is_left = stack.pop()
            if is_left:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((operand, False) for operand in node.operands)
        self.grad = 1.0
        for node in reversed(order):
            for operand, slope in zip(node.operands, node.slopes):
                operand.grad += slope * node.grad


def linear(rows, x):
    return [sum(w * value for w, value in zip(row, x)) for row in rows]


def rms_norm(x, eps):
    scale = (sum(value * value for value in x) * (1 / len(x)) + eps) ** -0.5
    return [value * scale for value in x]


def softmax(x):
    most = max(value.data for value in x)
    powers = [(value + -most).exp() for value in x]
    total = sum(powers) ** -1
    return [power * total for power in powers]


def next_logits(config, weights, keys, values, token, position):
    heads, eps = config["heads"], config["eps"]
    size = config["width"] // heads
    layer = "transformer.h.0."
    x = [a + b for a, b in zip(weights["transformer.wte.weight"][token], weights["transformer.wpe.weight"][position])]
    inner = rms_norm(x, eps)
    query = linear(weights[layer + "attn.c_q.weight"], inner)
    keys.append(linear(weights[layer + "attn.c_k.weight"], inner))
    values.append(linear(weights[layer + "attn.c_v.weight"], inner))
    seen = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = [sum(a * b for a, b in zip(query[part], key[part])) * (1 / math.sqrt(size)) for key in keys]
        shares = softmax(scores)
        for channel in range(head * size, (head + 1) * size):
            seen.append(sum(share * value[channel] for share, value in zip(shares, values)))
    x = [a + b for a, b in zip(linear(weights[layer + "attn.c_proj.weight"], seen), x)]
    up = linear(weights[layer + "mlp.c_fc.weight"], rms_norm(x, eps))
    active = [value.relu() ** 2 for value in up]
    x = [a + b for a, b in zip(linear(weights[layer + "mlp.c_proj.weight"], active), x)]
    return linear(weights["lm_head.weight"], rms_norm(x, eps))


def loss_of(config, weights, tokens, targets):
    keys, values, losses = [], [], []
    for position, (token, target) in enumerate(zip(tokens, targets)):
        logits = next_logits(config, weights, keys, values, token, position)
        losses.append(softmax(logits)[target].log() * -1.0)
    return sum(losses) * (1 / len(losses))


def main():
    task = json.load(sys.stdin)
    config, rates = task["config"], task["rates"]
    weights = {name: [[Value(x) for x in row] for row in rows] for name, rows in task["weights"].items()}
    parameters = [value for rows in weights.values() for row in rows for value in row]
    average, square = [0.0] * len(parameters), [0.0] * len(parameters)
    losses = []
    begin = time.process_time()
    for step, (tokens, targets) in enumerate(task["rows"], start=1):
        loss = loss_of(config, weights, tokens, targets)
        loss.backward()
        losses.append(loss.data)
        rate, beta1, beta2, eps = rates["learningRate"], rates["beta1"], rates["beta2"], rates["eps"]
        for at, value in enumerate(parameters):
            average[at] = beta1 * average[at] + (1 - beta1) * value.grad
            square[at] = beta2 * square[at] + (1 - beta2) * value.grad**2
            corrected = math.sqrt(square[at] / (1 - beta2**step)) + eps
            value.data -= rate / (1 - beta1**step) * average[at] / corrected
            value.grad = 0.0
    json.dump({"losses": losses, "cpuSeconds": time.process_time() - begin}, sys.stdout)


main()
