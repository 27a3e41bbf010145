"""One run through h5py: python3 trajectory-hdf5.py FLOATS FRAMES ATOMS EPS FOLDER prints a JSON list, a row for each way to
keep it. FLOATS has float32 positions, time first. HDF5_PLUGIN_PATH has the plugin, and PYTHONPATH lockstep_h5."""

import json
import os
import sys
import time

import h5py
import lockstep_h5
import numpy as np

ROUNDS = 7
# To the disk as a simulation does it: whole chunks, one after the other, and the file is safe at the end.
DISK_CHUNKS = 10
DEFAULT, PLAIN = "Lockstep, as by default", "no filter"


def seconds(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def ways(eps):
    return {
        DEFAULT: lockstep_h5.bound(eps),
        "Lockstep, once": lockstep_h5.bound(eps, "once"),
        PLAIN: {},
        "gzip 4": {"compression": "gzip", "compression_opts": 4},
        "shuffle, gzip 4": {"compression": "gzip", "compression_opts": 4, "shuffle": True},
        "lzf": {"compression": "lzf"},
    }


def write(name, values, options, chunks=1):
    with h5py.File(name, "w") as file:
        frames = len(values)
        shape = (chunks * frames, *values.shape[1:])
        kept = file.create_dataset("x", shape, values.dtype, chunks=values.shape, **options)
        for first in range(0, shape[0], frames):
            kept[first : first + frames] = values
        if chunks > 1:
            file.flush()
            os.fsync(file.id.get_vfd_handle())
        return kept.id.get_storage_size()


def read(name, out):
    with h5py.File(name, "r") as file:
        file["x"].read_direct(out)


def filesystem(folder):
    """Its kind, by the longest mount point above the folder."""
    with open("/proc/mounts") as mounts:
        points = [line.split()[1:3] for line in mounts]
    path = os.path.realpath(folder)
    above = [point for point in points if os.path.commonpath([path, point[0]]) == point[0]]
    return max(above, key=lambda point: len(point[0]))[1]


def main():
    floats, frames, atoms, eps, folder = sys.argv[1:]
    eps = float(eps)
    values = np.fromfile(floats, "f4").reshape(int(frames), int(atoms), 3)
    name = os.path.join(folder, "h5py.h5")
    rows = []
    for way, options in ways(eps).items():
        back = np.empty_like(values)
        size = write(name, values, options)
        rows.append(
            {
                "way": way,
                "ratio": values.nbytes / size,
                "writeMBps": values.nbytes / 1e6 / min(seconds(lambda: write(name, values, options)) for _ in range(ROUNDS)),
                "readMBps": values.nbytes / 1e6 / min(seconds(lambda: read(name, back)) for _ in range(ROUNDS)),
                "worst": float(np.abs(values.astype("f8") - back).max() / eps),
                "diskSeconds": [],
            }
        )
    # In turns, so that both meet the disk in the same moods.
    for _ in range(ROUNDS):
        for row in rows:
            if row["way"] in (DEFAULT, PLAIN):
                options = ways(eps)[row["way"]]
                row["diskSeconds"].append(seconds(lambda: write(name, values, options, DISK_CHUNKS)))
    os.remove(name)
    print(json.dumps({"filesystem": filesystem(folder), "diskBytes": DISK_CHUNKS * values.nbytes, "rows": rows}))


if __name__ == "__main__":
    main()
