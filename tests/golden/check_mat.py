#!/usr/bin/env python3
"""Compares load_mat and load_hdf5 with SciPy, matio (where it is installed) and h5py, number by number.

check_mat.py DUMP_FORMATS    the files that SciPy is tested with, which MATLAB wrote, and generated ones
"""

import ctypes
import ctypes.util
import pathlib
import sys
import tempfile
import warnings

import h5py
import numpy
import scipy.io

from judged import Readings, Verdict, same_bits

warnings.filterwarnings("ignore")
NUMBERS = ["float64", "float32", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def random_array(rng, kind, shape):
    if kind == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if kind.startswith("float"):
        values = rng.standard_normal(shape) * 10.0 ** rng.integers(-30, 30, shape)
        if values.size > 3:
            values.flat[:3] = [numpy.nan, numpy.inf, -numpy.inf]
        with numpy.errstate(over="ignore"):
            return values.astype(kind)
    limits = numpy.iinfo(kind)
    values = rng.integers(limits.min, limits.max, shape, dtype=kind, endpoint=True)
    if values.size > 1:
        values.flat[:2] = [limits.min, limits.max]
    return values


# --- matio ---------------------------------------------------------------------------------------

class Matio:
    """The few calls of libmatio that write an array."""

    VERSIONS = {"v4": 0x0010, "v5": 0x0100, "v73": 0x0200}
    # MAT_C_… and MAT_T_… of each kind
    KINDS = {"float64": (6, 9), "float32": (7, 7), "int8": (8, 1), "uint8": (9, 2), "int16": (10, 3),
             "uint16": (11, 4), "int32": (12, 5), "uint32": (13, 6), "int64": (14, 12), "uint64": (15, 13)}

    def __init__(self):
        self.lib = ctypes.CDLL(ctypes.util.find_library("matio"))
        for name in ("Mat_CreateVer", "Mat_VarCreate"):
            getattr(self.lib, name).restype = ctypes.c_void_p

    def write(self, path, version, arrays, packed):
        mat = ctypes.c_void_p(self.lib.Mat_CreateVer(str(path).encode(), None, self.VERSIONS[version]))
        assert mat.value, path
        for name, array in arrays.items():
            held = numpy.asfortranarray(array)
            sizes = (ctypes.c_size_t * held.ndim)(*held.shape)
            of_class, of_type = self.KINDS[str(held.dtype)]
            variable = ctypes.c_void_p(self.lib.Mat_VarCreate(
                name.encode(), of_class, of_type, held.ndim, sizes, held.ctypes.data_as(ctypes.c_void_p), 0))
            assert self.lib.Mat_VarWrite(mat, variable, 1 if packed else 0) == 0, (path, name)
            self.lib.Mat_VarFree(variable)
        self.lib.Mat_Close(mat)


def by_matio(folder, rng):
    if not ctypes.util.find_library("matio"):
        print("matio is not installed (Debian: libmatio-dev): its files are left out")
        return []
    matio, cases = Matio(), []
    for version in Matio.VERSIONS:
        for packed in [False] if version == "v4" else [False, True]:
            kinds = ["float64", "float32", "int32", "int16", "uint16", "uint8"] if version == "v4" else NUMBERS
            shapes = [(1, 1), (3, 5), (1, 17), (200, 3)] + ([] if version == "v4" else [(2, 3, 4), (5, 1, 2, 3)])
            arrays = {f"{kind}_{i}": random_array(rng, kind, shape)
                      for kind in kinds for i, shape in enumerate(shapes)}
            path = folder / f"matio_{version}_{packed}.mat"
            matio.write(path, version, arrays, packed)
            cases += [(path, name, array) for name, array in arrays.items()]
    return cases


# --- SciPy ---------------------------------------------------------------------------------------

def by_scipy(folder, rng):
    cases = []
    for form, packed in (("4", False), ("5", False), ("5", True)):
        kinds = ["float64", "float32", "int32", "int16", "uint16", "uint8"] if form == "4" else NUMBERS + ["bool"]
        shapes = [(1, 1), (4, 7), (1, 33), (100, 16)] + ([] if form == "4" else [(3, 2, 5)])
        arrays = {f"{kind}_{i}": random_array(rng, kind, shape)
                  for kind in kinds for i, shape in enumerate(shapes)}
        path = folder / f"scipy_{form}_{packed}.mat"
        scipy.io.savemat(path, arrays, format=form, do_compression=packed)
        cases += [(path, name, array) for name, array in arrays.items()]
        if form == "5":
            inner = {"data": random_array(rng, "float64", (8, 3)), "srate": numpy.array([[512.0]])}
            nested = {"EEG": {**inner, "event": {"latency": random_array(rng, "int32", (1, 9))}, "name": "x"}}
            path = folder / f"scipy_struct_{packed}.mat"
            scipy.io.savemat(path, nested, do_compression=packed)
            cases += [(path, "EEG.data", inner["data"]), (path, "EEG.srate", inner["srate"]),
                      (path, "EEG.event.latency", nested["EEG"]["event"]["latency"])]
    return cases


def of_matlab():
    """What MATLAB wrote for SciPy's tests: arrays as SciPy reads them, and files that are damaged."""
    try:
        from importlib.resources import files
        folder = pathlib.Path(str(files("scipy.io.matlab"))) / "tests/data"
    except ModuleNotFoundError:
        return [], []
    cases, broken = [], []
    for path in sorted(folder.glob("*.mat")):
        try:
            if "hdf5" in path.name:
                with h5py.File(path) as file:
                    cases += [(path, name, file[name][()].T) for name in file if name == "testdouble"]
                continue
            for name, value in scipy.io.loadmat(path).items():
                if not name.startswith("__"):
                    cases.append((path, name, value))
        except Exception:
            # There only the name is no UTF-8; its numbers are as good as any.
            if path.name != "bad_miutf8_array_name.mat":
                broken.append(path)
    return cases, broken


def is_readable(value):
    return (isinstance(value, numpy.ndarray) and value.dtype.kind in "fiub" and value.size > 0)


# --- HDF5 ----------------------------------------------------------------------------------------

def by_h5py(folder, rng):
    path = folder / "h5py.h5"
    cases = []
    options = {"plain": {}, "chunks": {"chunks": True}, "gzip": {"compression": "gzip"},
               "all": {"compression": "gzip", "shuffle": True, "fletcher32": True}}
    with h5py.File(path, "w") as file:
        for kind in NUMBERS + ["float16", "bool"]:
            for order in "<>":
                for how, option in options.items():
                    for i, shape in enumerate([(), (1,), (7,), (13, 5), (3, 4, 5)]):
                        if shape == () and option:
                            continue
                        array = random_array(rng, kind, shape)
                        if kind != "bool":
                            array = numpy.asarray(array).astype(numpy.dtype(kind).newbyteorder(order))
                        name = f"{kind}/{how}/{'le' if order == '<' else 'be'}{i}"
                        file.create_dataset(name, data=array, **option)
                        cases.append((path, "/" + name, numpy.asarray(array)))
    block = folder / "block.h5"
    with h5py.File(block, "w", userblock_size=1024) as file:
        file["x"] = random_array(rng, "float32", (3, 4))
        cases.append((block, "x", file["x"][()]))
    return cases


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        rng = numpy.random.default_rng(7)
        readings = Readings(sys.argv[1], folder)
        real, broken = of_matlab()
        mats = [(case, readings.ask("mat", case[0], case[1]))
                for case in by_scipy(folder, rng) + by_matio(folder, rng) + real]
        tables = [(case, readings.ask("hdf5", case[0], case[1])) for case in by_h5py(folder, rng)]
        damaged = [(path, readings.ask("mat", path)) for path in broken]
        readings.run()
        verdict = Verdict()
        for (path, name, expected), reading in mats + tables:
            label = f"{path.name}: {name}"
            if not is_readable(expected):
                verdict(label, reading.error is not None, "expected a refusal")
            elif reading.error:
                verdict(label, False, reading.error)
            else:
                with numpy.errstate(over="ignore"):
                    verdict(label, same_bits(reading.array, numpy.asarray(expected).astype("float32")))
        for path, reading in damaged:
            verdict(path.name, reading.error is not None, "expected a refusal, as SciPy does")
    return verdict.close(f"arrays are equal in SciPy {scipy.__version__}, matio and h5py {h5py.__version__}, "
                         f"{len(real)} of them written by MATLAB")


if __name__ == "__main__":
    sys.exit(main())
