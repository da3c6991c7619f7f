"""What the judges of the readers share: one run of dump_formats over many files."""

import pathlib
import subprocess

import numpy


class Readings:
    """Ask for readings, run the program once, then look at each."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = pathlib.Path(folder)
        self.lines = []

    def ask(self, what, path, argument=""):
        out = self.folder / f"out{len(self.lines)}"
        self.lines.append(f"{what}\t{path}\t{argument}\t{out}\n")
        return Reading(out)

    def run(self):
        listed = self.folder / "list"
        listed.write_text("".join(self.lines))
        subprocess.run([self.program, str(listed)], check=True)


class Reading:
    def __init__(self, out):
        self.out = out

    def path(self, ending):
        return self.out.with_name(self.out.name + ending)

    @property
    def error(self):
        path = self.path(".error")
        return path.read_text() if path.exists() else None

    @property
    def array(self):
        return numpy.load(self.path(".npy"))

    def rows(self, ending):
        return [line.split("\t") for line in self.path(ending).read_text().split("\n")[:-1]]

    @property
    def channels(self):
        """(name, unit, frequency, values) of each."""
        return [(name, unit, float(frequency), numpy.load(self.path(f".{i}.npy")))
                for i, (name, unit, frequency) in enumerate(self.rows(".channels"))]


def same_bits(a, b):
    """NaN is NaN, whatever its bits are."""
    a, b = numpy.asarray(a, "float32"), numpy.asarray(b, "float32")
    return a.shape == b.shape and bool(numpy.all((a == b) | (numpy.isnan(a) & numpy.isnan(b))))


class Verdict:
    def __init__(self):
        self.good, self.bad = 0, 0

    def __call__(self, name, right, complaint=""):
        if right:
            self.good += 1
        else:
            self.bad += 1
            print(f"{name}: {complaint or 'differs'}")

    def close(self, what):
        print(f"{self.good} of {self.good + self.bad} {what}")
        return 1 if self.bad or not self.good else 0
