#!/usr/bin/env python3
"""Kills `sonde train` with SIGKILL at random moments, goes on with --resume each time, and compares what is
left at the end, byte by byte, with a run that was never killed.

    tools/kill_runs.py build/release/sonde [--kills 200] [--seed 1]

Exit code 0: the same bytes after so many kills. The tests do the same at chosen calls
(tests/cli/resume_test.cpp); this one knows nothing of the program, and kills it in the middle of computing too.
"""
import argparse
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

LEFT = ("model.keras", "history.csv", "metrics.json")


def save_npy(path, shape, values):
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)
    head = head.ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode()
                     + struct.pack("<%df" % len(values), *values))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    chance = random.Random(chosen.seed)
    program = str(chosen.program.resolve())

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        samples, steps, channels = 60, 100, 4
        x = [chance.gauss(0, 1) for _ in range(samples * steps * channels)]
        save_npy(folder / "X.npy", (samples, steps, channels), x)
        save_npy(folder / "y.npy", (samples, steps, 1), [float(v > 0) for v in x[::channels]])
        line = [program, "train", "--x", "X.npy", "--y", "y.npy", "--filters", "4", "--units", "4",
                "--batch-size", "4", "--early-stopping", "100000", "--quiet", "--epochs", str(chosen.kills * 4)]
        subprocess.run(line + ["--out", "straight"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        kills = 0
        while True:
            run = subprocess.Popen(line + ["--out", "often", "--resume", "--checkpoint-seconds", "0.01"],
                                   cwd=folder, stdout=subprocess.DEVNULL)
            try:
                code = run.wait(chance.uniform(0, 0.3) if kills < chosen.kills else None)
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
                kills += 1
                continue
            if code != 0:
                sys.exit("after %d kills the run failed with exit code %d" % (kills, code))
            break
        same = [each for each in LEFT
                if (folder / "straight" / each).read_bytes() == (folder / "often" / each).read_bytes()]
        stale = [each.name for each in (folder / "often").iterdir() if each.name.endswith((".tmp", ".part"))]
    print("%d kills, the same bytes: %s; left over: %s" % (kills, ", ".join(same) or "none", stale or "nothing"))
    sys.exit(0 if kills >= chosen.kills and len(same) == len(LEFT) and not stale else 1)


if __name__ == "__main__":
    main()
