"""Indexes of FAISS over the same files, one JSON object on standard output.

    vector-index-faiss.py BASE QUERIES TRUTH D PLAN

BASE and QUERIES are float32 rows, TRUTH the ids of the ten nearest rows of each query (int32), PLAN is JSON:
{"pq": [bytes, ...], "seeds": [...], "speed": true | false}. Recall is that of all codes; speeds are of one thread.
"""
import json
import os
import resource
import sys
import tempfile
import time

import faiss
import numpy as np

K = 10
ROUNDS = 3
PROBES = (1, 2, 4, 8, 16, 32, 64)


def recall(found, truth):
    return float(np.mean([len(set(a[:K]) & set(b[:K])) / K for a, b in zip(found, truth)]))


def file_bytes(index):
    handle, path = tempfile.mkstemp()
    os.close(handle)
    try:
        faiss.write_index(index, path)
        return os.path.getsize(path)
    finally:
        os.remove(path)


def timed(index, queries):
    """Queries a second of processor time, the best of some rounds."""
    faiss.omp_set_num_threads(1)
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        _, found = index.search(queries, K)
        best = min(best, time.process_time() - begun)
    return len(queries) / best, found


def built(make, base):
    """Train on one thread, add, and tell the processor time of both."""
    faiss.omp_set_num_threads(1)
    begun = time.process_time()
    index = make()
    index.train(base)
    index.add(base)
    return index, time.process_time() - begun


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def lists_of(n):
    return max(16, 2 ** round(np.log2(np.sqrt(n) * 1.6)))


def pq_rows(base, queries, truth, plan):
    d = base.shape[1]
    lists = lists_of(len(base))
    for size in plan["pq"]:
        for seed in plan["seeds"]:
            def plain():
                index = faiss.IndexPQ(d, size, 8)
                index.pq.cp.seed = seed
                return index

            def residual():
                index = faiss.IndexIVFPQ(faiss.IndexFlatL2(d), d, lists, size, 8)
                index.cp.seed = seed
                index.pq.cp.seed = seed
                index.nprobe = lists
                return index

            for kind, make in (("PQ", plain), ("residual IVF-PQ", residual)):
                index, seconds = built(make, base)
                _, found = index.search(queries, K)
                yield {"kind": kind, "bytes": size, "seed": seed, "recall": recall(found, truth), "seconds": seconds}


def speed_rows(base, queries, truth):
    n, d = base.shape
    lists = lists_of(n)
    kinds = {
        f"IVF{lists},SQ8": (d, lambda: faiss.index_factory(d, f"IVF{lists},SQ8")),
        f"IVF{lists},SQ4": (d / 2, lambda: faiss.index_factory(d, f"IVF{lists},SQ4")),
        f"IVF{lists},PQ{d // 2}": (d / 2, lambda: faiss.index_factory(d, f"IVF{lists},PQ{d // 2}")),
    }
    for name, (code, make) in kinds.items():
        index, seconds = built(make, base)
        total = file_bytes(index)
        for probes in PROBES:
            index.nprobe = probes
            qps, found = timed(index, queries)
            yield {
                "name": name,
                "probes": probes,
                "bytesPerVector": code,
                "indexBytes": total - n * (code + 8),
                "recallAt10": recall(found, truth),
                "qps": qps,
                "buildSeconds": seconds,
                "peakRssMB": peak_mb(),
            }


def main():
    base_path, query_path, truth_path, d, plan = sys.argv[1:]
    d, plan = int(d), json.loads(plan)
    base = np.fromfile(base_path, dtype="<f4").reshape(-1, d)
    queries = np.fromfile(query_path, dtype="<f4").reshape(-1, d)
    truth = np.fromfile(truth_path, dtype="<i4").reshape(-1, K)
    flat = faiss.IndexFlatL2(d)
    flat.add(base)
    _, exact = flat.search(queries, K)
    print(
        json.dumps(
            {
                "options": faiss.get_compile_options().strip(),
                "version": faiss.__version__,
                "flatRecall": recall(exact, truth),
                "pq": list(pq_rows(base, queries, truth, plan)),
                "speed": list(speed_rows(base, queries, truth)) if plan["speed"] else [],
            }
        )
    )


main()
