"""A problem as `sonde bench` reads it: "conv32x8 lstm32 dense1 input=400,16 batch=32 threads=2 mode=train"."""
import dataclasses
import os
import re
import time

# Networks by name, in the words of layers; what Sonde builds for the others, no rival has here.
NAMED = {
    "conv-lstm": "conv32x8 lstm32 dense1",
    "conv-bilstm": "conv32x8 conv32x8 bilstm32 bilstm32 dense1",
    "conv-pool-lstm-up": "conv32x8 pool4 lstm32 up4 conv32x8 dense1",
}
RECURRENT = ("lstm", "gru", "rnn", "bilstm", "bigru")


class Unsupported(Exception):
    """A rival cannot do this problem, and says why."""


@dataclasses.dataclass
class Problem:
    line: str
    layers: list  # [("conv", 32, 8), ("lstm", 32), …]
    steps: int = 400
    channels: int = 16
    batch: int = 32
    samples: int = 476
    threads: int = 0
    mode: str = "train"
    precision: str = "f32"  # of Sonde; rivals have theirs by name

    @property
    def ends_in_dense(self):
        return self.layers[-1][0] == "dense"

    def output_shape(self):
        """(steps, width), without the batch."""
        steps, width = self.steps, self.channels
        for name, *numbers in self.layers:
            if name == "pool":
                steps //= numbers[0]
            elif name == "up":
                steps *= numbers[0]
            else:
                width = numbers[0] * (2 if name.startswith("bi") else 1)
        return steps, width


def read(line):
    words = line.split()
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    chain = " ".join(word for word in words if "=" not in word)
    layers = []
    for word in NAMED.get(chain, chain).split():
        found = re.fullmatch(r"([a-z]+)(\d+)(?:x(\d+))?", word)
        if not found:
            raise Unsupported(f"no rival has the network {chain}")
        layers.append((found[1], *(int(number) for number in found.groups()[1:] if number)))
    problem = Problem(line, layers)
    if "input" in settings:
        problem.steps, problem.channels = map(int, settings.pop("input").split(","))
    for key, value in settings.items():
        setattr(problem, key, value if key in ("mode", "precision") else int(value))
    problem.threads = problem.threads or len(os.sched_getaffinity(0))
    return problem


def data(problem):
    """x (samples, steps, channels) and y of zeros and ones."""
    import numpy as np
    random = np.random.default_rng(1)
    x = random.standard_normal((problem.samples, problem.steps, problem.channels))
    y = random.random((problem.samples, *problem.output_shape())) < 0.3
    return x.astype(np.float32), y.astype(np.float32)


class Clock:
    """Seconds of each round by the wall and by the processors."""

    def __init__(self):
        self.wall, self.cpu = [], []

    def start(self):
        self.began = time.perf_counter(), time.process_time()

    def stop(self):
        self.wall.append(time.perf_counter() - self.began[0])
        self.cpu.append(time.process_time() - self.began[1])

    def time(self, function):
        self.start()
        function()
        self.stop()

    def result(self, warm_up, version):
        return {"seconds": self.wall[warm_up:], "cpu_seconds": self.cpu[warm_up:], "version": version}
