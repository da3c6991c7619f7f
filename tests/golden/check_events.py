#!/usr/bin/env python3
"""Reads the events of a run with TensorBoard itself, and compares them with the run's history.csv.

check_events.py SONDE    SONDE is the built program
"""

import csv
import pathlib
import subprocess
import sys
import tempfile

import numpy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def train(program, folder, *options):
    subprocess.run([program, "train", "--x", "X.npy", "--y", "y.npy", "--filters", "2", "--units", "2",
                    "--quiet", "--out", "run", *options], cwd=folder, check=True)


def complaints_about(run):
    events = EventAccumulator(str(run))
    events.Reload()
    with open(run / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "epoch"]
    tags = events.Tags()["scalars"]
    if sorted(tags) != sorted("epoch_" + name for name in names):
        yield f"tags {tags}"
        return
    for name in names:
        scalars = events.Scalars("epoch_" + name)
        if [s.step for s in scalars] != [int(row["epoch"]) for row in rows]:
            yield f"{name}: steps {[s.step for s in scalars]}"
        if [s.value for s in scalars] != [float(numpy.float32(row[name])) for row in rows]:
            yield f"{name}: values {[s.value for s in scalars]}"
        times = [s.wall_time for s in scalars]
        if times != sorted(times):
            yield f"{name}: times {times}"


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        numbers = numpy.random.default_rng(1)
        x = numbers.normal(size=(20, 30, 2)).astype("float32")
        numpy.save(folder / "X.npy", x)
        numpy.save(folder / "y.npy", (x[..., :1] > 0).astype("float32"))
        train(program, folder, "--epochs", "4")
        wrong = list(complaints_about(folder / "run"))
        train(program, folder, "--epochs", "7", "--resume")
        wrong += [f"gone on: {each}" for each in complaints_about(folder / "run")]
    for each in wrong:
        print(each)
    print("4 epochs, and 7 of a run that went on: " + ("as in history.csv" if not wrong else "differ"))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
