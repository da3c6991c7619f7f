#!/usr/bin/env python3
"""Gradient-boosted trees on the electrocardiograms of data/ecg-qtdb: the score a network must beat.

    ecg_baseline.py DUMP_WFDB [--scaling per_channel|per_recording_robust] [--steps 300000] …

Every step is judged alone from the window of raw values around it (2 channels x 101 steps), by
scikit-learn's HistGradientBoostingClassifier. Signals, labels, weights and the split are Sonde's own:
DUMP_WFDB (built from tests/data/dump_wfdb.cpp) writes them. Trained on labelled steps of the training
records drawn at random, judged on every labelled step of the test records. The number of rounds is
found on the validation records, and so is whether the classes weigh the same or as they occur: the
better of both is what is reported. Prints one line of JSON.
"""

import argparse
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score

CLASSES = ["none", "P", "QRS", "T"]
REACH = 50  # steps on either side


class Recording:
    def __init__(self, folder, name):
        self.signal, labels, self.weights = (
            numpy.load(folder / f"{name}.{what}.npy") for what in ("signal", "labels", "weights"))
        self.labels = labels[:, 0].astype(int)

    def windows(self, steps):
        """(len(steps), channels * 101); beyond the ends the signal stays at its last value."""
        padded = numpy.pad(self.signal, ((REACH, REACH), (0, 0)), mode="edge")
        views = numpy.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1, axis=0)
        return views[steps].reshape(len(steps), -1)

    def labelled(self):
        return numpy.flatnonzero(self.weights > 0)


def scale(parts, scaling):
    """As Sonde's Normalizer does it."""
    if scaling == "per_channel":
        signal = numpy.concatenate([r.signal for r in parts["train"]]).astype(float)
        center, spread = signal.mean(0), signal.std(0)
    for recording in sum(parts.values(), []):
        if scaling == "per_recording_robust":
            low, center, high = numpy.quantile(recording.signal.astype(float), [0.25, 0.5, 0.75], axis=0)
            spread = (high - low) / 1.3489795003921634
        recording.signal = ((recording.signal - center) / spread).astype("float32")


def draw(recordings, count, random):
    """At most `count` labelled steps of all recordings, each as likely as any other."""
    places = [(i, step) for i, r in enumerate(recordings) for step in r.labelled()]
    chosen = random.permutation(len(places))[:count]
    places = numpy.array(places)[numpy.sort(chosen)]
    x = [r.windows(places[places[:, 0] == i, 1]) for i, r in enumerate(recordings)]
    y = [r.labels[places[places[:, 0] == i, 1]] for i, r in enumerate(recordings)]
    return numpy.concatenate(x), numpy.concatenate(y)


def scores(truth, guess):
    each = f1_score(truth, guess, average=None, labels=range(len(CLASSES)))
    return {"macro_f1": round(float(each.mean()), 4),
            **{f"f1_{name}": round(float(f1), 4) for name, f1 in zip(CLASSES, each)},
            "accuracy": round(float((truth == guess).mean()), 4)}


def after(model, x, trees):
    """What the model says after its first `trees` rounds."""
    return next(itertools.islice(model.staged_predict(x), trees - 1, None))


def fit(x, y, validation, class_weight, rounds, seed):
    """The model, and after how many rounds it does best on the validation records."""
    model = HistGradientBoostingClassifier(
        max_iter=rounds, early_stopping=False, class_weight=class_weight, learning_rate=0.1,
        max_leaf_nodes=63, min_samples_leaf=50, l2_regularization=1.0, max_features=0.3,
        random_state=seed)
    model.fit(x, y)
    x_validation, y_validation = validation
    curve = {n: f1_score(y_validation, guess, average="macro")
             for n, guess in enumerate(model.staged_predict(x_validation), 1) if n % 10 == 0}
    best = max(curve, key=curve.get)
    print(f"{class_weight}: validation macro F1 {curve[best]:.4f} after {best} rounds, "
          f"{curve[max(curve)]:.4f} after {max(curve)}", file=sys.stderr)
    return curve[best], best, model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    home = pathlib.Path(__file__).resolve().parents[1]
    parser.add_argument("dump", help="the program built from tests/data/dump_wfdb.cpp")
    parser.add_argument("--folder", type=pathlib.Path, default=home / "data/ecg-qtdb")
    parser.add_argument("--scaling", choices=["per_channel", "per_recording_robust"],
                        default="per_recording_robust")
    parser.add_argument("--steps", type=int, default=300_000, help="training steps drawn")
    parser.add_argument("--rounds", type=int, default=300, help="at most so many")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    parts = {"train": [], "validation": [], "test": []}
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([options.dump, options.folder, "q1c", out], check=True)
        for line in (options.folder / "split.csv").read_text().split()[1:]:
            name, part = line.split(",")
            parts[part].append(Recording(pathlib.Path(out), name))
    scale(parts, options.scaling)
    random = numpy.random.default_rng(options.seed)
    x, y = draw(parts["train"], options.steps, random)
    validation = draw(parts["validation"], 10**9, random)

    start = time.monotonic()
    fitted = [(*fit(x, y, validation, weight, options.rounds, options.seed), weight)
              for weight in (None, "balanced")]
    best, rounds, model, weight = max(fitted, key=lambda each: each[0])
    seconds = time.monotonic() - start
    x_test, y_test = draw(parts["test"], 10**9, random)
    print(json.dumps({"benchmark": "ecg_baseline", "model": "HistGradientBoosting",
                      "scaling": options.scaling, "train_steps": len(y), "test_steps": len(y_test),
                      "class_weight": weight or "none", "rounds": rounds, "seed": options.seed,
                      "validation_macro_f1": round(best, 4), **scores(y_test, after(model, x_test, rounds)),
                      "fit_seconds": round(seconds, 1)}))


if __name__ == "__main__":
    main()
