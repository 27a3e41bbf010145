"""Train a model of lm_torch.py from given numbers over given batches, one thread: a peer of `npm run bench -- lm`.

Reads a plan as JSON: {"run": configuration, "model": settled model, "tensors": [{"name", "shape"}], "initial": file,
"batches": file, "judged": [{"file", "rows"}]}. Prints {"torch", "losses": by step, "cpuMs": of a step on average,
"judged": [mean nats of each]}.
"""
import json
import sys
import time

import torch
from lm_torch import Gpt, NanochatOptimizer, NanoGptOptimizer, read_batches, read_tensors

torch.set_num_threads(1)


@torch.no_grad()
def judge(gpt, batches):
    nats = tokens = 0
    for inputs, targets in batches:
        count = int((targets >= 0).sum())
        if count > 0:
            nats += count * gpt.loss(inputs, targets).item()
            tokens += count
    return nats / tokens


plan = json.load(sys.stdin)
run, model = plan["run"], plan["model"]
tensors = read_tensors(plan["tensors"], plan["initial"])
gpt = Gpt(model, tensors)
kinds = {"adamw": NanoGptOptimizer, "muon": NanochatOptimizer}
optimizer = kinds[run["optimizer"]["kind"]](run, model, tensors)
losses = []
begun = time.process_time()
for it, (inputs, targets) in enumerate(read_batches(plan["batches"], run["data"]["rows"], model["context"])):
    loss = gpt.loss(inputs, targets)
    loss.backward()
    optimizer.step(it)
    losses.append(loss.item())
cpu = time.process_time() - begun
judged = [judge(gpt, read_batches(part["file"], part["rows"], model["context"])) for part in plan["judged"]]
found = {"losses": losses, "cpuMs": 1000 * cpu / max(1, len(losses)), "judged": judged}
print(json.dumps({"torch": torch.__version__, **found}))
