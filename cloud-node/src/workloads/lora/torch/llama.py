"""A Llama with a LoRA adapter as one would write it in PyTorch, and files of both read without any library of theirs."""
import json
import math
import struct

import torch
import torch.nn.functional as F

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read_safetensors(path):
    """Tensors by name, in double precision."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        count = math.prod(entry["shape"])
        numbers = torch.frombuffer(data, dtype=TYPES[entry["dtype"]], count=count, offset=begin)
        assert numbers.numel() * numbers.element_size() == end - begin
        tensors[name] = numbers.reshape(entry["shape"]).double()
    return tensors


class Llama:
    """Named as Hugging Face names it; `tensors` may have gradients, and so may those of `lora`.

    `lora` has PEFT's lora_A and lora_B by the name of the module that they are beside; its scale is alpha over rank.
    """

    def __init__(self, config, tensors, lora=None, scale=1.0):
        self.config, self.tensors, self.lora, self.scale = config, tensors, lora or {}, scale
        self.heads = config["num_attention_heads"]
        self.kv_heads = config["num_key_value_heads"]
        self.head_dim = config["hidden_size"] // self.heads

    def linear(self, module, x):
        out = F.linear(x, self.tensors[f"{module}.weight"])
        if module in self.lora:
            down, up = self.lora[module]
            out = out + self.scale * F.linear(F.linear(x, down), up)
        return out

    def norm(self, module, x):
        mean_square = x.pow(2).mean(-1, keepdim=True)
        return self.tensors[f"{module}.weight"] * x * torch.rsqrt(mean_square + self.config["rms_norm_eps"])

    def turn(self, x):
        """Rotary positions, by halves: x is (heads, T, head_dim)."""
        steps = torch.arange(0, self.head_dim, 2).double() / self.head_dim
        angles = torch.outer(torch.arange(x.shape[1]).double(), self.config["rope_theta"] ** -steps)
        angles = torch.cat([angles, angles], dim=-1)
        first, second = x.chunk(2, dim=-1)
        return x * angles.cos() + torch.cat([-second, first], dim=-1) * angles.sin()

    def attention(self, module, x):
        length = x.shape[0]

        def heads_of(name, count):
            return self.linear(f"{module}.{name}", x).view(length, count, self.head_dim).transpose(0, 1)

        q, k = self.turn(heads_of("q_proj", self.heads)), self.turn(heads_of("k_proj", self.kv_heads))
        v = heads_of("v_proj", self.kv_heads)
        k, v = (each.repeat_interleave(self.heads // self.kv_heads, dim=0) for each in (k, v))
        scores = q @ k.transpose(1, 2) / math.sqrt(self.head_dim)
        ahead = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
        seen = F.softmax(scores.masked_fill(ahead, -math.inf), dim=-1) @ v
        return self.linear(f"{module}.o_proj", seen.transpose(0, 1).reshape(length, -1))

    def feed_forward(self, module, x):
        gated = F.silu(self.linear(f"{module}.gate_proj", x)) * self.linear(f"{module}.up_proj", x)
        return self.linear(f"{module}.down_proj", gated)

    def logits(self, tokens):
        """Of one sequence: (T, vocabulary)."""
        table = self.tensors["model.embed_tokens.weight"]
        x = table[tokens]
        for layer in range(self.config["num_hidden_layers"]):
            name = f"model.layers.{layer}"
            x = x + self.attention(f"{name}.self_attn", self.norm(f"{name}.input_layernorm", x))
            x = x + self.feed_forward(f"{name}.mlp", self.norm(f"{name}.post_attention_layernorm", x))
        head = table if self.config["tie_word_embeddings"] else self.tensors["lm_head.weight"]
        return F.linear(self.norm("model.norm", x), head)
