#!/usr/bin/env python3
"""Random networks there and back: built in real Keras, run and trained here and there, written here, read there.

    round_trip.py RUN_NETWORKS [--seed S] [--count N] [--backend jax|tensorflow] [--only INDEX]

RUN_NETWORKS is the program of run_networks.cpp. README.md beside this file says what is compared.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

BACKENDS = ("jax", "tensorflow")
SLICE = 50  # networks of one process
UNSTEADY = 0.03  # share of networks that rounding alone may move too far, or that Keras itself cannot run


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path, metavar="RUN_NETWORKS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200, help="networks, each on every backend")
    parser.add_argument("--backend", choices=BACKENDS, action="append", help="only this one")
    parser.add_argument("--only", type=int, metavar="INDEX", help="only this network")
    parser.add_argument("--layer", help="only this kind of layer in all networks")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--shrink", type=float, default=60, metavar="SECONDS", help="for each failure")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="leave the files there")
    parser.add_argument("--part", help=argparse.SUPPRESS)  # FIRST:LAST:FILE of one process
    return parser.parse_args()


def run_part(options):
    """One process: networks first to last on one backend; its findings into a file."""
    first, last, path = options.part.split(":")
    os.environ["KERAS_BACKEND"] = options.backend[0]
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its Conv2D with strides (1, 2) gives garbage in 2.21.0
    # Networks this small run once: half of the time would go into making their programs faster.
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    import logging
    import warnings

    import check
    import draw
    from networks import layers_in
    from shrink import shrink
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    check.draw_first_weights_without_compiling()
    found = {"used": {}, "failures": [], "unsteady": [], "not run": [], "networks": 0, "trained": 0}
    with tempfile.TemporaryDirectory() as name:
        folder, trips = options.keep or pathlib.Path(name), []
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(int(first), int(last)):
            for again in range(5):  # where Keras' own numbers are no numbers
                network = draw.draw(options.seed, index + 100_000 * again, [options.layer] if options.layer else None)
                try:
                    trip = check.Trip(network)
                    if trip.begin(folder):
                        trips.append(trip)
                        break
                except Exception as error:
                    found["not run"].append(f"{network.name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
        check.run_in_sonde(options.program, folder)
        shrunk = 0
        for trip in trips:
            found["networks"] += 1
            found["trained"] += trip.trained
            for kind in {layer.kind for layer in layers_in(trip.network)} | set(trip.layers):
                found["used"][kind] = found["used"].get(kind, 0) + 1
            try:
                trip.end()
            except check.Difference as difference:
                kind, network = difference.kind, trip.network
                if kind in ("prediction", "loss", "trained weights") and trip.unsteady() > 0.2:
                    found["unsteady"].append(f"{network.name}: {difference}")
                    continue
                failure = {"network": network.name, "kind": kind, "text": str(difference)}
                if shrunk < 5 and options.shrink:
                    shrunk += 1

                    def fails(less):
                        other = check.difference_of(less, options.program)
                        return other is not None and other.kind == kind
                    network = shrink(network, fails, options.shrink)
                    failure["text"] = str(check.difference_of(network, options.program) or difference)
                found["failures"].append(failure | {"code": network.code()})
    pathlib.Path(path).write_text(json.dumps(found))


def start(options, backend, first, last, path):
    words = [sys.executable, __file__, str(options.program), "--seed", str(options.seed), "--backend", backend,
             "--shrink", str(options.shrink), "--part", f"{first}:{last}:{path}"]
    words += ["--keep", str(options.keep)] if options.keep else []
    return subprocess.Popen(words + (["--layer", options.layer] if options.layer else []),
                            env={**os.environ, "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"})


def run_all(options):
    """All parts, a few at once; what each of them found, with its backend."""
    backends = options.backend or BACKENDS
    indices = (0, options.count) if options.only is None else (options.only, options.only + 1)
    with tempfile.TemporaryDirectory() as folder:
        waiting = [(backend, first, min(first + SLICE, indices[1]), pathlib.Path(folder, f"{backend}{first}.json"))
                   for first in range(*indices, SLICE) for backend in backends]
        running, done = [], []
        while waiting or running:
            while waiting and len(running) < options.jobs:
                part = waiting.pop(0)
                running.append((start(options, *part), part))
            time.sleep(0.1)
            for process, part in [r for r in running if r[0].poll() is not None]:
                running.remove((process, part))
                backend, first, last, path = part
                if process.returncode:
                    yield backend, {"failures": [{"network": f"{first} to {last}", "kind": "crash", "code": "",
                                                  "text": f"the process ended with {process.returncode}"}],
                                    "used": {}, "unsteady": [], "not run": [], "networks": 0, "trained": 0}
                else:
                    yield backend, json.loads(path.read_text())


def every_layer():
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    text = (pathlib.Path(__file__).parents[2] / "include/sonde/layers.hpp").read_text()
    words = text[text.index("using BuiltinLayers"):]
    listed = words[words.index("<") + 1:words.index(">")].replace("\n", " ").split(",")
    return [w.strip() for w in listed] + ["LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells", "Functional",
                                          "Sequential"]


def main():
    options = parse()
    if options.part:
        return run_part(options)
    begin = time.monotonic()
    used, failures, unsteady, not_run, networks, trained = collections.Counter(), 0, [], [], 0, 0
    for backend, found in run_all(options):
        networks += found["networks"]
        trained += found["trained"]
        used.update(found["used"])
        unsteady += [f"{backend}: {u}" for u in found["unsteady"]]
        not_run += [f"{backend}: {n}" for n in found["not run"]]
        for failure in found["failures"]:
            failures += 1
            print(f"--- {failure['network']} of seed {options.seed} on {backend}: {failure['text']}\n"
                  f"{failure['code']}\n", flush=True)
    print(*[f"moved by rounding alone: {u}" for u in unsteady], *[f"fails in Keras itself: {n}" for n in not_run], sep="\n")
    missing = [kind for kind in every_layer() if not used[kind]]
    print("Networks with each layer: " + ", ".join(f"{k} {used[k]}" for k in every_layer()))
    print(f"{networks} networks, {trained} of them trained, {failures} differ, {len(unsteady)} moved by rounding alone, "
          f"{len(not_run)} fail in Keras itself, in {time.monotonic() - begin:.0f} s")
    bad = failures or not networks or max(len(unsteady), len(not_run)) > max(1, UNSTEADY * networks)
    if missing and options.count >= 100 and options.only is None and not options.layer:
        print("never drawn: " + ", ".join(missing))
        bad = True
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
