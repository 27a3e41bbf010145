"""Loss and gradients of a model of lm_torch.py, in double precision: a peer of `npm run bench -- lm --parts gradients`.

Reads a plan as JSON: {"model": settled model, "tensors": [{"name", "shape"}], "values": file, "batch": file, "rows",
"gradients": file to write, raw float64, tensor by tensor}. Prints {"torch", "loss"}.
"""
import json
import sys

import numpy
import torch
from lm_torch import Gpt, read_batches, read_tensors

torch.set_num_threads(1)
plan = json.load(sys.stdin)
tensors = read_tensors(plan["tensors"], plan["values"], torch.float64)
[(inputs, targets)] = read_batches(plan["batch"], plan["rows"], plan["model"]["context"])
loss = Gpt(plan["model"], tensors).loss(inputs, targets)
loss.backward()
numpy.concatenate([tensor.grad.flatten().numpy() for tensor in tensors.values()]).tofile(plan["gradients"])
print(json.dumps({"torch": torch.__version__, "loss": loss.item()}))
