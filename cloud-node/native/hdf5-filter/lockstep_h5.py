"""Options of Lockstep's trajectory filter, for h5py and for h5repack.

    file.create_dataset("x", data=x, chunks=lockstep_h5.chunk_shape(x.shape), **lockstep_h5.bound(eps=1e-3))
    lockstep_h5.create_dataset(file, "x", data=x, compression_opts={"eps": 1e-3})
    python3 -m lockstep_h5 --eps 1e-3          prints what h5repack wants: h5repack -f "$(...)" IN OUT

HDF5 finds the filter itself by HDF5_PLUGIN_PATH, when the first dataset is made or read; this module loads nothing.
"""

import argparse
import math
import struct

FILTER_ID = 480
MODES = ("max", "rms", "once")
# A predictor learns within a chunk, so long ones are small ones: 128 frames, of some megabytes.
CHUNK_FRAMES = 128
SERIES_FRAMES = 2**15
CHUNK_VALUES = 2**21


def options(eps, mode="max"):
    """The filter's cd_values: no value is ever more than eps from what was written, in the unit of the data.

    mode: "max" holds that however often a chunk is changed in part; "once" does for chunks that are written once, in fewer
    bytes; "rms" is like "once", and keeps the root mean square of a chunk's errors below eps / 2."""
    eps = float(eps)
    if not 0 < eps < math.inf:
        raise ValueError(f"eps must be above 0 and finite, not {eps}")
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    return (*struct.unpack("<II", struct.pack("<d", eps)), MODES.index(mode))


def bound(eps, mode="max"):
    """Keyword arguments for h5py's create_dataset and require_dataset."""
    return {"compression": FILTER_ID, "compression_opts": options(eps, mode)}


def chunk_shape(shape, grows=False):
    """A chunk for data of this shape, time first: whole frames, or a part of the atoms where frames are large.

    grows: whether frames will be added, so that a chunk may have more of them than there are yet."""
    frames, *rest = (max(1, int(size)) for size in shape)
    most = CHUNK_FRAMES if rest else SERIES_FRAMES
    frames = most if grows else min(frames, most)
    values = frames * math.prod(rest)
    if values > CHUNK_VALUES:
        rest[0] = max(1, rest[0] * CHUNK_VALUES // values)
    return (frames, *rest)


def create_dataset(parent, name, *, compression_opts, shape=None, data=None, chunks=None, maxshape=None, **others):
    """h5py's create_dataset with {"eps": 1e-3} or {"eps": 1e-3, "mode": "rms"} for compression_opts, and chunks that suit
    the filter unless they are given."""
    size = shape if shape is not None else getattr(data, "shape", None)
    if chunks is None and size:
        grows = maxshape is not None and maxshape[0] is None
        chunks = chunk_shape(size, grows)
    return parent.create_dataset(
        name, shape=shape, data=data, chunks=chunks, maxshape=maxshape, **bound(**compression_opts), **others
    )


def _main():
    parser = argparse.ArgumentParser(prog="lockstep_h5", description="Print the filter as h5repack -f wants it.")
    parser.add_argument("--eps", type=float, required=True, help="largest error, in the unit of the data")
    parser.add_argument("--mode", choices=MODES, default="max")
    given = parser.parse_args()
    try:
        values = options(given.eps, given.mode)
    except ValueError as error:
        parser.error(str(error))
    print(f"UD={FILTER_ID},0,{len(values)},{','.join(map(str, values))}")


if __name__ == "__main__":
    _main()
