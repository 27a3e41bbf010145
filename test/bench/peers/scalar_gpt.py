"""The scalar GPT in plain Python, with nothing but its standard library: the peer of `npm run bench -- lm --parts scalar`.

The arithmetic of the scalar engine, operation by operation: a node for every number, with the slopes of its operands, and
reverse mode from the end of the order in which they were calculated. RMS norm without weights, learned positions, ReLU
squared, a head of its own, AdamW.

Reads a plan as JSON: {"config": {"layers", "heads", "width", "headWidth", "context"}, "weights": {name: rows},
"batches": [{"inputs", "targets"}], "adamw": {"learningRate", "beta1", "beta2", "eps", "weightDecay"}}.
Prints {"python", "losses", "gradients": {name: numbers of the first step}, "cpuMs"}: of a step, the fastest.
"""
import json
import math
import platform
import sys
import time
from operator import mul

RMS_EPS = 2.0**-23


class Value:
    """A number; one that was made of others stands on the tape, behind them."""

    __slots__ = ("data", "grad", "operands", "slopes", "factors")
    tape = []

    def __init__(self, data, operands=(), slopes=(), factors=()):
        self.data = data
        self.grad = 0.0
        self.operands = operands
        self.slopes = slopes
        self.factors = factors
        if operands:
            Value.tape.append(self)

    def add(self, other):
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def plus(self, number):
        return Value(self.data + number, (self,), (1.0,))

    def sub(self, other):
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def mul(self, other):
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def times(self, number):
        return Value(self.data * number, (self,), (number,))

    def pow(self, exponent):
        return Value(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def exp(self):
        power = math.exp(self.data)
        return Value(power, (self,), (power,))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def relu(self):
        return Value(max(0.0, self.data), (self,), (1.0 if self.data > 0 else 0.0,))

    def backward(self):
        self.grad = 1.0
        for node in reversed(Value.tape):
            grad = node.grad
            if node.factors:
                for x, y in zip(node.operands, node.factors):
                    x.grad += y.data * grad
                    y.grad += x.data * grad
            else:
                for operand, slope in zip(node.operands, node.slopes):
                    operand.grad += slope * grad
        Value.tape.clear()


def numbers(values):
    return [value.data for value in values]


def in_turn(terms):
    """Their sum, one after the other: from 3.12 on `sum` rounds otherwise."""
    total = 0.0
    for term in terms:
        total += term
    return total


def total(values):
    return Value(in_turn(numbers(values)), values, [1.0] * len(values))


def dot(a, b):
    return Value(in_turn(map(mul, numbers(a), numbers(b))), a, (), b)


def log_sum_exp(values):
    most = max(numbers(values))
    return total([value.plus(-most).exp() for value in values]).log().plus(most)


def softmax(values):
    most = max(numbers(values))
    powers = [value.plus(-most).exp() for value in values]
    scale = total(powers).pow(-1)
    return [power.mul(scale) for power in powers]


def rms_norm(x):
    factor = dot(x, x).times(1 / len(x)).plus(RMS_EPS).pow(-0.5)
    return [value.mul(factor) for value in x]


def linear(rows, x):
    return [dot(row, x) for row in rows]


def added(a, b):
    return [x.add(y) for x, y in zip(a, b)]


class Gpt:
    def __init__(self, config, weights):
        self.config = config
        self.weights = {name: [[Value(x) for x in row] for row in rows] for name, rows in weights.items()}
        self.leaves = {name: [value for row in rows for value in row] for name, rows in self.weights.items()}
        self.averages = {name: [0.0] * len(values) for name, values in self.leaves.items()}
        self.squares = {name: [0.0] * len(values) for name, values in self.leaves.items()}

    def logits(self, tokens):
        caches = [([], []) for _ in range(self.config["layers"])]
        return [self.next(caches, token, position) for position, token in enumerate(tokens)]

    def next(self, caches, token, position):
        w = self.weights
        x = added(w["transformer.wte.weight"][token], w["transformer.wpe.weight"][position])
        for layer, cache in enumerate(caches):
            name = f"transformer.h.{layer}"
            x = added(x, self.attention(f"{name}.attn", rms_norm(x), cache))
            inner = [value.relu().pow(2) for value in linear(w[f"{name}.mlp.c_fc.weight"], rms_norm(x))]
            x = added(x, linear(w[f"{name}.mlp.c_proj.weight"], inner))
        return linear(w["lm_head.weight"], rms_norm(x))

    def attention(self, name, x, cache):
        w, width = self.weights, self.config["headWidth"]
        keys, values = cache
        query = linear(w[f"{name}.c_q.weight"], x)
        keys.append(linear(w[f"{name}.c_k.weight"], x))
        values.append(linear(w[f"{name}.c_v.weight"], x))
        seen = []
        for first in range(0, self.config["width"], width):
            head = query[first : first + width]
            shares = softmax([dot(head, key[first : first + width]).times(1 / math.sqrt(width)) for key in keys])
            seen += [dot(shares, [value[first + channel] for value in values]) for channel in range(width)]
        return linear(w[f"{name}.c_proj.weight"], seen)

    def loss(self, inputs, targets):
        losses = [
            log_sum_exp(row).sub(row[target]) for row, target in zip(self.logits(inputs), targets) if target >= 0
        ]
        return total(losses).times(1 / len(losses))

    def step(self, inputs, targets, count, adamw):
        for values in self.leaves.values():
            for value in values:
                value.grad = 0.0
        loss = self.loss(inputs, targets)
        loss.backward()
        rate = adamw["learningRate"] / (1 - adamw["beta1"] ** count)
        root = math.sqrt(1 - adamw["beta2"] ** count)
        decay = adamw["learningRate"] * adamw["weightDecay"]
        for name, values in self.leaves.items():
            self.update(values, self.averages[name], self.squares[name], adamw, rate, root, decay)
        return loss.data

    def update(self, values, average, square, adamw, rate, root, decay):
        beta1, beta2, eps = adamw["beta1"], adamw["beta2"], adamw["eps"]
        for at, value in enumerate(values):
            gradient = value.grad
            m = average[at] = beta1 * average[at] + (1 - beta1) * gradient
            v = square[at] = beta2 * square[at] + (1 - beta2) * gradient * gradient
            value.data -= decay * value.data + rate * m / (math.sqrt(v) / root + eps)


def main():
    plan = json.load(sys.stdin)
    gpt = Gpt(plan["config"], plan["weights"])
    losses, gradients, fastest = [], {}, math.inf
    for at, batch in enumerate(plan["batches"]):
        begun = time.process_time()
        losses.append(gpt.step(batch["inputs"], batch["targets"], at + 1, plan["adamw"]))
        fastest = min(fastest, time.process_time() - begun)
        if at == 0:
            gradients = {name: [value.grad for value in values] for name, values in gpt.leaves.items()}
    found = {"losses": losses, "gradients": gradients, "cpuMs": 1000 * fastest}
    print(json.dumps({"python": f"{platform.python_implementation()} {platform.python_version()}", **found}))


main()
