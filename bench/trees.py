#!/usr/bin/env python3
"""Gradient-boosted trees on the recordings of a run, fold by fold: the score a network must beat.

    sonde convert recipes/hapt.toml arrays
    trees.py arrays RUN --frequency 50 --reach 3 [--scale range]

ARRAYS holds what `sonde convert` writes. RUN is the folder of a `sonde train` run over the same
recordings (of the first seed, where there are several): its folds are taken from the metrics.json of each, so
that both are tested on the same people. Every step is judged alone, from what lies up to --reach
seconds around it: raw values at 41 places, and mean, deviation, smallest and largest value over
the whole reach, a half and a quarter of it. Trees never see where in the recording a step lies.
Whether classes weigh the same is chosen on the validation recordings, where there are any. Prints
one line of JSON with the scores over all tested steps.
"""

import argparse
import json
import pathlib
import re
import sys

import numpy
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score


class Recording:
    """A recording, or the piece "NAME[begin:end]" of one."""

    def __init__(self, folder, name, scale):
        piece = re.fullmatch(r"(.*)\[(\d+):(\d+)\]", name)
        base, part = (piece[1], slice(int(piece[2]), int(piece[3]))) if piece else (name, slice(None))
        with numpy.load(folder / f"{base}.npz") as arrays:
            self.signal = arrays["signal"].astype("float64")
            self.labels = arrays["labels"][:, 0].astype(int)
            self.weights = arrays["weights"]
        self.signal, self.labels, self.weights = (
            each[part] for each in (self.signal, self.labels, self.weights))
        self.signal[~numpy.isfinite(self.signal)] = numpy.nan
        if scale == "recording":
            self.bring_to_own_scale(0.25)
        elif scale == "range":
            self.bring_to_own_scale(0.02)
        self.labelled = numpy.flatnonzero(self.weights > 0)
        self.known_statistics = []

    def bring_to_own_scale(self, part):
        low, center, high = numpy.nanquantile(self.signal, [part, 0.5, 1 - part], axis=0)
        self.signal = (self.signal - center) / numpy.where(high > low, high - low, 1)

    def features(self, steps, reach):
        """(len(steps), …). Beyond the ends the signal stays at its last value."""
        padded = numpy.pad(self.signal, ((reach, reach), (0, 0)), mode="edge")
        places = numpy.unique(numpy.linspace(-reach, reach, 41).round().astype(int))
        parts = [padded[steps + reach + place] for place in places]
        parts += [statistic[steps] for statistic in self.statistics(padded, reach)]
        return numpy.concatenate(parts, axis=1).astype("float32")

    def statistics(self, padded, reach):
        """Mean, deviation, smallest and largest value around each step of the recording."""
        if self.known_statistics:
            return self.known_statistics
        zero = numpy.zeros((1, padded.shape[1]))
        filled = numpy.nan_to_num(padded)
        sums = numpy.concatenate([zero, numpy.cumsum(filled, 0)])
        squares = numpy.concatenate([zero, numpy.cumsum(filled**2, 0)])
        inside = slice(reach, reach + len(self.signal))
        steps = numpy.arange(len(self.signal))
        for part in (reach, reach // 2, reach // 4):
            if part < 1:
                continue
            length, begin, end = 2 * part + 1, steps + reach - part, steps + reach + part + 1
            mean = (sums[end] - sums[begin]) / length
            spread = (squares[end] - squares[begin]) / length - mean**2
            self.known_statistics += [
                mean, numpy.sqrt(numpy.maximum(spread, 0)),
                minimum_filter1d(filled, length, axis=0)[inside],
                maximum_filter1d(filled, length, axis=0)[inside]]
        self.known_statistics = [each.astype("float32") for each in self.known_statistics]
        return self.known_statistics


def draw(recordings, count, reach, random):
    """At most `count` labelled steps of all recordings, each as likely as any other."""
    total = sum(len(r.labelled) for r in recordings)
    share = min(1.0, count / max(total, 1))
    x, y = [], []
    for recording in recordings:
        steps = recording.labelled
        if share < 1:
            steps = numpy.sort(random.permutation(steps)[: round(share * len(steps))])
        x.append(recording.features(steps, reach))
        y.append(recording.labels[steps])
    return numpy.concatenate(x), numpy.concatenate(y)


def predict(model, recording, reach):
    """Labels of all labelled steps, in pieces that fit into memory."""
    pieces = numpy.array_split(recording.labelled, max(1, len(recording.labelled) // 20000))
    found = [model.predict(recording.features(p, reach)) for p in pieces if len(p)]
    return numpy.concatenate(found) if found else numpy.zeros(0, int)


def fit(x, y, class_weight, options):
    model = HistGradientBoostingClassifier(
        max_iter=options.rounds, early_stopping=False, class_weight=class_weight, learning_rate=0.1,
        max_leaf_nodes=31, min_samples_leaf=50, l2_regularization=1.0, max_features=0.3,
        random_state=options.seed)
    return model.fit(x, y)


def folds_of(run):
    """The split of each training in the folder: part → names of recordings."""
    files = sorted(run.glob("**/fold-*/metrics.json")) or [run / "metrics.json"]
    first = {}
    for file in files:  # folds of later seeds are the same
        first.setdefault(file.parent.name, file)
    return [{part: each["recordings"] for part, each in json.loads(file.read_text())["split"].items()}
            for file in first.values()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arrays", type=pathlib.Path)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--frequency", type=float, required=True, help="steps per second")
    parser.add_argument("--reach", type=float, default=1.0, help="seconds on either side")
    parser.add_argument("--scale", choices=["none", "recording", "range"], default="none")
    parser.add_argument("--steps", type=int, default=150_000, help="training steps drawn")
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    reach = max(1, round(options.reach * options.frequency))

    known = {}

    def load(names):
        for name in names:
            if name not in known:
                known[name] = Recording(options.arrays, name, options.scale)
        return [known[name] for name in names]

    truth, guess = [], []
    folds = folds_of(options.run)
    if any("test" not in fold for fold in folds):
        sys.exit("The run has no test part: train it with folds, test or test_share in [split].")
    for number, fold in enumerate(folds, 1):
        random = numpy.random.default_rng(options.seed)
        x, y = draw(load(fold["train"]), options.steps, reach, random)
        judges = load(fold.get("validation", []))
        tested = load(fold["test"])
        chosen, best = None, -1.0
        for class_weight in (None, "balanced") if judges else (None,):
            model = fit(x, y, class_weight, options)
            score = 0.0
            if judges:
                x_validation, y_validation = draw(judges, 50_000, reach, random)
                score = f1_score(y_validation, model.predict(x_validation), average="macro")
            if score > best:
                chosen, best = model, score
        for recording in tested:
            truth.append(recording.labels[recording.labelled])
            guess.append(predict(chosen, recording, reach))
        print(f"fold {number} of {len(folds)}: validation macro F1 {best:.4f}", file=sys.stderr)
    truth, guess = numpy.concatenate(truth), numpy.concatenate(guess)
    each = f1_score(truth, guess, average=None)
    result = {"benchmark": "trees", "folds": len(folds), "reach_seconds": options.reach,
              "scale": options.scale, "tested_steps": len(truth),
              "accuracy": round(float((truth == guess).mean()), 4),
              "balanced_accuracy": round(float(balanced_accuracy_score(truth, guess)), 4),
              "macro_f1": round(float(each.mean()), 4), "f1": [round(float(f), 4) for f in each]}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
