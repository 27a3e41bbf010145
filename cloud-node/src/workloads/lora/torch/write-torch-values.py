"""Logits, loss and LoRA gradients of a small Llama, by PyTorch in double precision: what torch-values.json holds.

Run it in this folder with a Python that has PyTorch (Debian: python3-torch); it overwrites the file.
"""
import json
import math

import torch
import torch.nn.functional as F

from llama import Llama

CONFIG = {
    "model_type": "llama", "hidden_act": "silu", "vocab_size": 11, "hidden_size": 16, "intermediate_size": 24,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 32,
    "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True,
}
RANK, ALPHA = 3, 6
# Tokens of a chat, and where its answer begins.
EXAMPLES = [([1, 5, 9, 3, 7, 2, 10, 4], 4), ([1, 8, 6, 6, 0, 4], 3)]


def numbers(order, shape, middle=0.0):
    """Multiples of 1/128 by a tensor's place in the order of all."""
    values = [middle + ((i * 37 + order * 11) % 101 - 50) / 128 for i in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


width, inner, vocabulary = CONFIG["hidden_size"], CONFIG["intermediate_size"], CONFIG["vocab_size"]
narrow = width // CONFIG["num_attention_heads"] * CONFIG["num_key_value_heads"]
MODULES = {
    "self_attn.q_proj": (width, width), "self_attn.k_proj": (narrow, width), "self_attn.v_proj": (narrow, width),
    "self_attn.o_proj": (width, width), "mlp.gate_proj": (inner, width), "mlp.up_proj": (inner, width),
    "mlp.down_proj": (width, inner),
}
shapes = {"model.embed_tokens.weight": (vocabulary, width), "model.norm.weight": (width,)}
for layer in range(CONFIG["num_hidden_layers"]):
    for module in ("input_layernorm", "post_attention_layernorm"):
        shapes[f"model.layers.{layer}.{module}.weight"] = (width,)
    shapes.update({f"model.layers.{layer}.{module}.weight": shape for module, shape in MODULES.items()})
tensors = {
    name: numbers(order, shape, 1.0 if len(shape) == 1 else 0.0) for order, (name, shape) in enumerate(shapes.items())
}
lora, factors = {}, {}
for layer in range(CONFIG["num_hidden_layers"]):
    for module, (outputs, inputs) in MODULES.items():
        name = f"model.layers.{layer}.{module}"
        down = numbers(100 + len(factors), (RANK, inputs)).requires_grad_()
        up = numbers(101 + len(factors), (outputs, RANK)).requires_grad_()
        lora[name] = (down, up)
        factors[f"{name}.lora_A"], factors[f"{name}.lora_B"] = down, up


def digits(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


adapted = Llama(CONFIG, tensors, lora, ALPHA / RANK)
base = Llama(CONFIG, tensors)
losses = []
for tokens, answer_from in EXAMPLES:
    logits = adapted.logits(tokens[:-1])
    targets = torch.tensor(tokens[1:])
    losses.append(F.cross_entropy(logits[answer_from - 1 :], targets[answer_from - 1 :], reduction="none"))
loss = torch.cat(losses).mean()
loss.backward()
values = {
    "torch": torch.__version__,
    **{"config": CONFIG, "rank": RANK, "alpha": ALPHA, "shapes": shapes},
    "examples": [{"tokens": tokens, "answerFrom": answer_from} for tokens, answer_from in EXAMPLES],
    # Of the first example without its last token.
    "baseLogits": digits(base.logits(EXAMPLES[0][0][:-1])),
    "adaptedLogits": digits(adapted.logits(EXAMPLES[0][0][:-1])),
    "loss": float(f"{loss.item():.12g}"),
    "gradients": {name: digits(factor.grad) for name, factor in factors.items()},
}
with open("torch-values.json", "w", encoding="utf-8") as file:
    json.dump(values, file, separators=(",", ":"))
    file.write("\n")
