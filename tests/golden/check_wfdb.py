#!/usr/bin/env python3
"""Compares the WFDB reader with PhysioNet's own Python package: signals bit by bit, marks one by one.

check_wfdb.py DUMP_WFDB [FOLDER]    DUMP_WFDB is built from tests/data/dump_wfdb.cpp
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy
import wfdb

ANNOTATOR = "q1c"


def marks_of(path):
    rows = [line.split("\t") for line in path.read_text().split("\n")[:-1]]
    return [(int(step), symbol, int(subtype), int(channel), int(number), note)
            for step, symbol, subtype, channel, number, note in rows]


def complaints_about(name, folder, out):
    record = wfdb.rdrecord(str(folder / name))
    signal = numpy.load(out / f"{name}.signal.npy")
    expected = record.p_signal.astype("float32")
    if signal.shape != expected.shape:
        yield f"signal {signal.shape}, expected {expected.shape}"
    elif not numpy.array_equal(signal.view("uint32"), expected.view("uint32")):
        yield f"signal differs at {(signal != expected).sum()} values"
    theirs = wfdb.rdann(str(folder / name), ANNOTATOR)
    notes = [(note or "").rstrip("\0") for note in theirs.aux_note]
    expected = list(zip(theirs.sample, theirs.symbol, theirs.subtype, theirs.chan, theirs.num, notes))
    if marks_of(out / f"{name}.marks.tsv") != expected:
        yield "marks differ"


def main():
    program = sys.argv[1]
    home = pathlib.Path(__file__).resolve().parents[2]
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else home / "data/ecg-qtdb")
    names = (folder / "RECORDS").read_text().split()
    bad = 0
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([program, folder, ANNOTATOR, out], check=True)
        for name in names:
            for complaint in complaints_about(name, folder, pathlib.Path(out)):
                print(f"{name}: {complaint}")
                bad += 1
    print(f"{len(names) - bad} of {len(names)} records are equal in wfdb {wfdb.__version__}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
