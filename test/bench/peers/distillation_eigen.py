"""Principal components by the whole covariance, in float64: what a stream of them is held against."""

import json
import sys

import torch

plan = json.load(sys.stdin)
rows = torch.frombuffer(bytearray(open(plan["file"], "rb").read()), dtype=torch.float32)
rows = rows.reshape(-1, plan["width"]).to(torch.float64)
centred = rows - rows.mean(0)
values, vectors = torch.linalg.eigh(centred.T @ centred / len(rows))
order = torch.argsort(values, descending=True)
print(
    json.dumps(
        {
            "values": values[order].tolist(),
            "vectors": vectors[:, order[: plan["components"]]].T.tolist(),
        }
    )
)
