"""Logits of a Llama with an adapter in PEFT's layout, by PyTorch in double precision, from files read by hand.

Reads {"model": folder, "adapter": folder, "tokens": [...]} and prints {"torch", "tensors", "logits"}: those of the last token,
with the adapter, and how many tensors of it were taken. Everything in the adapter has to fit, and to be used.
"""
import json
import os
import re
import sys

import torch

TORCH = os.path.join(os.path.dirname(__file__), "../../../cloud-node/src/workloads/lora/torch")
sys.path.insert(0, TORCH)
from llama import Llama, read_safetensors  # noqa: E402

plan = json.load(sys.stdin)


def read_json(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


config = read_json(plan["model"], "config.json")
tensors = read_safetensors(os.path.join(plan["model"], "model.safetensors"))
adapter = read_json(plan["adapter"], "adapter_config.json")
assert adapter["peft_type"] == "LORA" and adapter["bias"] == "none" and not adapter["fan_in_fan_out"]
factors = read_safetensors(os.path.join(plan["adapter"], "adapter_model.safetensors"))
lora = {}
for name in factors:
    module = re.fullmatch(r"base_model\.model\.(.+)\.lora_A\.weight", name)
    if module is None:
        continue
    down, up = factors[name], factors[name.replace("lora_A", "lora_B")]
    outputs, inputs = tensors[f"{module[1]}.weight"].shape
    assert down.shape == (adapter["r"], inputs) and up.shape == (outputs, adapter["r"])
    assert module[1].split(".")[-1] in adapter["target_modules"]
    lora[module[1]] = (down, up)
assert 2 * len(lora) == len(factors) > 0
with torch.no_grad():
    model = Llama(config, tensors, lora, adapter["lora_alpha"] / adapter["r"])
    logits = model.logits(plan["tokens"])[-1]
print(json.dumps({"torch": torch.__version__, "tensors": len(factors), "logits": logits.tolist()}))
