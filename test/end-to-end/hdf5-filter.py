"""What h5py sees of the HDF5 filter: python3 hdf5-filter.py CHECK FOLDER prints one JSON object. HDF5_PLUGIN_PATH has the
plugin, and PYTHONPATH lockstep_h5."""

import json
import math
import os
import sys

import h5py
import lockstep_h5
import numpy as np

EPS = 1e-3
SHAPES = [(5000,), (70, 40), (70, 50, 3), (33, 9, 2), (40, 6, 7), (30, 5, 6, 3), (20, 4, 3, 5)]


def paths(shape, dtype="f4", seed=1):
    """Atoms that rattle and drift: smooth along the first axis, nothing in common along the others."""
    random = np.random.default_rng(seed)
    time = np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)) * 0.02
    place = random.uniform(0, 20, (1, *shape[1:])) + random.uniform(-0.5, 0.5, (1, *shape[1:])) * time
    for _ in range(3):
        rate, phase = random.uniform(2, 8, (2, 1, *shape[1:]))
        place = place + 0.1 * np.sin(rate * time + 6.28 * phase)
    return place.astype(dtype)


def errors(source, back):
    difference = source.astype("f8") - back.astype("f8")
    return float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2)))


def shapes(folder):
    rows = []
    for shape in SHAPES:
        for dtype in ("f4", "f8"):
            for mode in ("max", "rms", "once"):
                name = os.path.join(folder, "shapes.h5")
                source = paths(shape, dtype)
                with h5py.File(name, "w") as file:
                    lockstep_h5.create_dataset(file, "x", data=source, compression_opts={"eps": EPS, "mode": mode})
                with h5py.File(name, "r") as file:
                    worst, rms = errors(source, file["x"][()])
                    rows.append(
                        {
                            "shape": shape,
                            "dtype": dtype,
                            "mode": mode,
                            "worst": worst / EPS,
                            "rms": rms / EPS,
                            "ratio": source.nbytes / file["x"].id.get_storage_size(),
                            "kept": str(file["x"].dtype),
                        }
                    )
    return rows


def partial(folder):
    """Several chunks along every axis, and ends that fill none of them."""
    name = os.path.join(folder, "partial.h5")
    source = paths((100, 50, 3), "f4")
    with h5py.File(name, "w") as file:
        file.create_dataset("x", data=source, chunks=(32, 20, 3), **lockstep_h5.bound(EPS))
    with h5py.File(name, "r") as file:
        whole = file["x"][()]
    cuts = [np.s_[0], np.s_[99], np.s_[31:33], np.s_[:, 49], np.s_[5:80:7, 19:41, 1]]
    same = []
    for cut in cuts:
        with h5py.File(name, "r") as file:
            same.append(bool(np.array_equal(file["x"][cut], whole[cut])))
    return {"worst": errors(source, whole)[0] / EPS, "same": same}


def append(folder):
    """Two frames at a time, each time in a file that was closed."""
    source = paths((128, 50, 3), "f8")
    name = os.path.join(folder, "append.h5")
    with h5py.File(name, "w") as file:
        for mode in ("max", "once"):
            options = {"eps": EPS, "mode": mode}
            made = lockstep_h5.create_dataset(
                file, mode, shape=(0, 50, 3), dtype="f8", maxshape=(None, 50, 3), compression_opts=options
            )
        chunk = made.chunks
    openings = 0
    for first in range(0, 128, 2):
        openings += 1
        with h5py.File(name, "a") as file:
            for mode in ("max", "once"):
                file[mode].resize(first + 2, axis=0)
                file[mode][first:] = source[first : first + 2]
    with h5py.File(name, "r") as file:
        worst = {mode: errors(source, file[mode][()])[0] / EPS for mode in ("max", "once")}
        ratio = source.nbytes / file["max"].id.get_storage_size()
    return {"chunk": chunk, "openings": openings, "worst": worst, "ratio": ratio}


def again(folder):
    """What was read is written: other chunks, parts of chunks, and a value beside it that is large for its type."""
    name = os.path.join(folder, "again.h5")
    out = {}
    for dtype in ("f4", "f8"):
        source = paths((48, 40, 3), dtype)
        with h5py.File(name, "w") as file:
            values = file.create_dataset("x", data=source, chunks=source.shape, **lockstep_h5.bound(EPS))
        with h5py.File(name, "a") as file:
            first = file["x"][()]
            other = file.create_dataset("y", data=first, chunks=(7, 11, 3), **lockstep_h5.bound(EPS))
        kept = np.ones(source.shape, bool)
        # A frame, atoms of all frames, and a frame while a value is there for which steps of float32 are a quarter of eps.
        large = np.s_[20, 30, 2]
        changes = [(np.s_[5], 0.25), (np.s_[:, 3:9, 1], -7.125), (large, 3000.1), (31, source[31] * 1.37), (large, 1.5)]
        for cut, value in changes:
            with h5py.File(name, "a") as file:
                file["x"][cut] = value
            source[cut] = value
            kept[cut] = False
        with h5py.File(name, "r") as file:
            values, other = file["x"], file["y"][()]
            last = values[()]
            out[dtype] = {
                "worst": errors(source, last)[0] / EPS,
                "kept": bool(np.array_equal(first[kept], last[kept])),
                "otherChunks": bool(np.array_equal(first, other)),
                "ratio": source.nbytes / values.id.get_storage_size(),
            }
    # Values around the one from which steps of float32 are too wide for the wider steps of eps.
    source = (503.1172 + np.arange(4000, dtype="f4") * 5e-5).reshape(4, 1000)
    with h5py.File(name, "w") as file:
        file.create_dataset("x", data=source, chunks=source.shape, **lockstep_h5.bound(EPS))
    for value in (3000, 1):
        source[0, 0] = value
        with h5py.File(name, "a") as file:
            file["x"][0, 0] = value
            # What lies at the limit is new, while the large value is there.
            file["x"][1:] = source[1:] if value == 3000 else file["x"][1:]
    with h5py.File(name, "r") as file:
        out["edge"] = {"worst": errors(source, file["x"][()])[0] / EPS}
    return out


def odd(folder):
    """Values that no bound can be kept for are kept bit by bit; all others within it."""
    name = os.path.join(folder, "odd.h5")
    plain = paths((40, 30), "f4")
    cases = {"nan": plain.copy(), "infinite": plain.copy(), "huge": plain * 1e9, "tiny": plain * 1e-30}
    cases["nan"][7, 3] = np.nan
    cases["nan"].view("u4")[8, 4] = 0x7FC12345
    cases["infinite"][39, 29] = -np.inf
    cases["constant"] = np.full((40, 30), 3.25, "f4")
    cases["zero"] = np.zeros((40, 30), "f4")
    cases["one"] = plain[:1, :1]
    with h5py.File(name, "w") as file:
        for case, values in cases.items():
            file.create_dataset(case, data=values, chunks=values.shape, **lockstep_h5.bound(EPS))
        file.create_dataset("filled", (10, 30), "f4", maxshape=(None, 30), chunks=(16, 30), fillvalue=np.nan, **lockstep_h5.bound(EPS))
        file["filled"][:3] = plain[:3]
        file.create_dataset("scalar frames", data=plain[:, 0], chunks=(16,), **lockstep_h5.bound(EPS))
    out = {}
    with h5py.File(name, "r") as file:
        for case, values in cases.items():
            back = file[case][()]
            isSame = bool(np.array_equal(back.view("u4"), values.view("u4")))
            out[case] = "same" if isSame else errors(values, back)[0] / EPS
        filled = file["filled"][()]
        isSame = np.array_equal(filled[:3].view("u4"), plain[:3].view("u4")) and np.isnan(filled[3:]).all()
        out["filled"] = "same" if isSame else "other"
        out["scalar frames"] = errors(plain[:, 0], file["scalar frames"][()])[0] / EPS
    return out


def refusals(folder):
    low, high, _ = lockstep_h5.options(EPS)
    ask = {"compression": lockstep_h5.FILTER_ID, "chunks": True}

    def bits(value):
        return [int(half) for half in np.array([value]).view("u4")]

    cases = {
        "integers": {"dtype": "i4", "compression_opts": (low, high, 0)},
        "big-endian": {"dtype": ">f4", "compression_opts": (low, high, 0)},
        "half": {"dtype": "f2", "compression_opts": (low, high, 0)},
        "shuffled": {"dtype": "f4", "compression_opts": (low, high, 0), "shuffle": True},
        "no options": {"dtype": "f4"},
        "five options": {"dtype": "f4", "compression_opts": (low, high, 0, 0, 0)},
        "mode": {"dtype": "f4", "compression_opts": (low, high, 3)},
        "eps 0": {"dtype": "f4", "compression_opts": (*bits(0.0), 0)},
        "eps -1": {"dtype": "f4", "compression_opts": (*bits(-1.0), 0)},
        "eps NaN": {"dtype": "f4", "compression_opts": (*bits(math.nan), 0)},
        "eps infinite": {"dtype": "f4", "compression_opts": (*bits(math.inf), 0)},
        "five dimensions": {"dtype": "f4", "compression_opts": (low, high, 0), "shape": (8, 2, 2, 2, 2)},
        "a large frame": {"dtype": "f4", "compression_opts": (low, high, 0), "shape": (1, 2**27), "chunks": (1, 2**27)},
    }
    out = {}
    with h5py.File(os.path.join(folder, "refusals.h5"), "w") as file:
        for case, given in cases.items():
            try:
                file.create_dataset(case, **{"shape": (8, 4), **ask, **given})
                out[case] = "taken"
            except Exception as error:
                out[case] = f"{type(error).__name__}: {error}"
            if case in file:
                out[case] += " and made"
    for given in ({"eps": 0}, {"eps": -1}, {"eps": math.nan}, {"eps": math.inf}, {"eps": 1, "mode": "mean"}):
        try:
            lockstep_h5.options(**given)
            out[str(given)] = "taken"
        except ValueError as error:
            out[str(given)] = str(error)
    return out


def damage(folder):
    """Chunks that a disk or a stranger changed: an error that says so, and a library that goes on."""
    name = os.path.join(folder, "damage.h5")
    source = paths((60, 40, 3), "f4")
    random = np.random.default_rng(7)
    said = {}
    read = 0
    with h5py.File(name, "w") as file:
        made = file.create_dataset("x", data=source, chunks=source.shape, **lockstep_h5.bound(EPS))
        file.flush()
        _, good = made.id.read_direct_chunk((0, 0, 0))
        for case in range(300):
            bad = bytearray(good)
            if case % 3 == 0:
                bad = bad[: random.integers(0, len(bad))]
            else:
                for _ in range(1 + case % 5):
                    bad[random.integers(0, len(bad) if case % 2 else 24)] ^= 1 << random.integers(0, 8)
            if bytes(bad) == good or len(bad) == 0:
                continue
            made.id.write_direct_chunk((0, 0, 0), bytes(bad))
            try:
                made[()]
                read += 1
            except OSError as error:
                said[str(error)] = said.get(str(error), 0) + 1
        made.id.write_direct_chunk((0, 0, 0), good)
        worst = errors(source, made[()])[0] / EPS
    return {"read": read, "said": said, "worst": worst}


def write(folder):
    """A plain file, and the same with the filter; for HDF5's own tools."""
    source = paths((90, 40, 3), "f4")
    # Nothing to foresee: its codes are larger than what contexts look at.
    rough = np.random.default_rng(3).uniform(-200, 200, (45, 40, 3)).astype("f4")
    with h5py.File(os.path.join(folder, "plain.h5"), "w") as file:
        file.create_dataset("x", data=source, chunks=(45, 40, 3))
    with h5py.File(os.path.join(folder, "coded.h5"), "w") as file:
        file.create_dataset("x", data=source, chunks=(45, 40, 3), **lockstep_h5.bound(EPS))
    with h5py.File(os.path.join(folder, "rough.h5"), "w") as file:
        file.create_dataset("x", data=rough, chunks=rough.shape, **lockstep_h5.bound(EPS))
    for name, first in (("coded", 45), ("rough", 0)):
        with h5py.File(os.path.join(folder, name + ".h5"), "r") as file:
            _, chunk = file["x"].id.read_direct_chunk((first, 0, 0))
            with open(os.path.join(folder, name + ".chunk"), "wb") as out:
                out.write(chunk)
            file["x"][first:].tofile(os.path.join(folder, name + ".values"))
    with h5py.File(os.path.join(folder, "coded.h5"), "r") as file:
        back = file["x"][()]
    back.tofile(os.path.join(folder, "values.bin"))
    return {"hdf5": h5py.version.hdf5_version, "worst": errors(source, back)[0] / EPS}


def read(folder):
    """What h5repack made, beside what it was made of."""
    source = paths((90, 40, 3), "f4")
    out = {}
    for name in sys.argv[3:]:
        with h5py.File(os.path.join(folder, name), "r") as file:
            values = file["x"]
            creation = values.id.get_create_plist()
            filters = [creation.get_filter(i)[0] for i in range(creation.get_nfilters())]
            out[name] = {
                "worst": errors(source, values[()])[0] / EPS,
                "filters": filters,
                "chunks": values.chunks,
                "ratio": source.nbytes / values.id.get_storage_size(),
            }
    return out


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](sys.argv[2])))
