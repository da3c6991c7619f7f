#!/usr/bin/env python3
"""Makes the golden cases with real Keras (JAX backend): models, inputs, outputs, weights after training.

    make_golden.py OUT [--only PATTERN]       write the cases into OUT
    make_golden.py --compare DIR              make everything afresh and compare with DIR

README.md beside this file describes what is written; golden_cases.py lists the cases.
"""
import argparse
import fnmatch
import io
import json
import os
import pathlib
import sys
import tempfile
import zipfile
import zlib

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow, where installed, talks while it loads

import h5py  # noqa: E402
import jax  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import golden_attention_cases  # noqa: E402, F401
import golden_composite_cases  # noqa: E402, F401
import golden_conv_cases  # noqa: E402, F401
import golden_decoder_cases  # noqa: E402, F401
import golden_merging_cases  # noqa: E402, F401
import golden_regularizer_cases  # noqa: E402, F401
from golden_cases import CASES  # noqa: E402
from keras import optimizers as ko  # noqa: E402

# ---- making one case -------------------------------------------------------------------------------------

def coarse(values, parts):
    """Rounded to whole parts: exact in every format, and files pack better."""
    return (np.round(values * parts) / parts).astype(np.float32)


def draw_weight(random, variable):
    kind, shape = variable.path.rsplit("/", 1)[-1], tuple(variable.shape)
    if kind == "count":
        return np.zeros(shape, np.int32)
    low, high = (0.5, 1.5) if kind in ("gamma", "variance", "moving_variance") else (-0.5, 0.5)
    if "kernel" in kind:
        fan_in, fan_out = int(np.prod(shape[:-1])), int(np.prod(shape[:-2])) * shape[-1]
        high = np.sqrt(6.0 / (fan_in + fan_out))
        low = -high
    return coarse(random.uniform(low, high, shape), 4096)


def draw_target(random, loss, shape):
    if loss in ("binary_crossentropy", "binary_focal_crossentropy") or loss in ("dice", "tversky") and shape[-1] < 3:
        return (random.random(shape) < 0.4).astype(np.float32)
    if loss in ("categorical_crossentropy", "categorical_focal_crossentropy", "dice", "tversky"):
        return np.eye(shape[-1], dtype=np.float32)[random.integers(0, shape[-1], shape[:-1])]
    if loss == "sparse_categorical_crossentropy":
        return random.integers(0, shape[-1], shape[:-1]).astype(np.int32)
    return random.standard_normal(shape).astype(np.float32)


def make_loss(name, config):
    short = {"mse": "MeanSquaredError", "mae": "MeanAbsoluteError"}
    return getattr(keras.losses, short.get(name) or "".join(w.capitalize() for w in name.split("_")))(**config)


def set_weights(model, values):
    for variable, value in zip(model.weights, values):
        variable.assign(value)
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):  # a Normalization computes with copies of its weights
            layer.finalize_state()


def train(model, before, optimizer, loss, x, y, weights, batch, epochs):
    set_weights(model, before)
    outputs = len(model.outputs)
    model.compile(optimizer=optimizer, loss=[loss] * outputs if outputs > 1 else loss)
    history = model.fit(x, y, sample_weight=weights, epochs=epochs, batch_size=batch, shuffle=False, verbose=0)
    return [keras.ops.convert_to_numpy(v) for v in model.weights], np.asarray(history.history["loss"], np.float32)


def decode(made, x):
    """Step by step: each label is chosen from the output before, the likeliest or what is above 0.5."""
    encoder, decoder, steps = made.sampling
    memory = [np.asarray(m) for m in keras.tree.flatten(encoder(x))]
    given, beside = memory[:len(memory) - made.beside], memory[len(memory) - made.beside:]
    previous = np.zeros((len(x), 1, decoder.inputs[0].shape[-1]), np.float32)
    previous[:, :, -1] = 1
    states, written = len(decoder.outputs) - 1, []
    for t in range(steps):
        now = [b[:, t:t + 1] for b in beside]
        output, *after = [np.asarray(v) for v in decoder([previous, *given, *now])]
        given = after + given[states:]
        written.append(output)
        if made.loss == "categorical_crossentropy":
            output = np.eye(output.shape[-1], dtype=np.float32)[output.argmax(-1)]
        elif made.loss == "binary_crossentropy":
            output = (output > 0.5).astype(np.float32)
        previous = np.concatenate([output, np.zeros((len(x), 1, 1), np.float32)], -1)
    return np.concatenate(written, 1)


def make_case(name, out):
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(zlib.crc32(name.encode()))
    made = CASES[name]()
    model, n = made.model, made.batch
    before = [draw_weight(random, v) for v in model.weights]
    set_weights(model, before)
    model.save(out / f"{name}.keras")

    times = made.times or [None] * len(model.inputs)
    shapes = [[n] + [time if size is None else size for size in i.shape[1:]] for i, time in zip(model.inputs, times)]
    if made.classes:
        x = [random.integers(0, made.classes, shape).astype(np.float32) for shape in shapes]
    else:
        x = [coarse(random.standard_normal(shape), 64) for shape in shapes]
    if made.change_x:
        x = [made.change_x(a) for a in x]
    given = x if len(x) > 1 else x[0]
    predicted = model.predict(given, batch_size=n, verbose=0)
    predicted = [np.asarray(p) for p in (predicted if isinstance(predicted, (list, tuple)) else [predicted])]
    y = [draw_target(random, made.loss, p.shape) for p in predicted]
    arrays = {f"x{i}": a for i, a in enumerate(x)}
    arrays |= {f"y{i}": a for i, a in enumerate(y)}
    arrays |= {f"predict{i}": a for i, a in enumerate(predicted)}
    arrays |= {f"before/{i}": a for i, a in enumerate(before)}
    if made.sampling:
        arrays["decode"] = decode(made, x[0])
    sample_weight = None
    if made.weighted:
        sample_weight = arrays["w0"] = random.uniform(0, 2, y[0].shape[:2]).astype(np.float32)
        sample_weight[0] = 0
    about = {
        "case": name, "keras": keras.__version__, "loss": made.loss, "loss_config": made.loss_config,
        "train": made.train, "inputs": [i.name for i in model.inputs], "outputs": len(predicted),
        "layers": [layer.name for layer in model.layers],
        "weights": [v.path for v in model.weights], "trainable": [bool(v.trainable) for v in model.weights],
    }
    if made.train:
        def run(key, optimizer, epochs):
            loss = make_loss(made.loss, made.loss_config)
            targets = y if len(y) > 1 else y[0]
            after, losses = train(model, before, optimizer, loss, given, targets, sample_weight, n, epochs)
            arrays.update({f"{key}/{i}": a for i, a in enumerate(after)})
            arrays["loss_" + key] = losses
        run("sgd", ko.SGD(learning_rate=1.0), 1)
        run("adam", ko.Adam(learning_rate=1e-3), 10)
        if made.optimizer:
            optimizer = made.optimizer()
            about["optimizer"] = ko.serialize(optimizer)
            run("opt", optimizer, 5)
    np.savez_compressed(out / f"{name}.npz", **arrays)
    write_json(out / f"{name}.json", about)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")


# ---- schedules and metrics -------------------------------------------------------------------------------

def make_schedules(out):
    s = ko.schedules
    schedules = [
        s.ExponentialDecay(0.1, 5, 0.7), s.ExponentialDecay(0.1, 5, 0.7, staircase=True),
        s.InverseTimeDecay(0.1, 4, 0.5), s.InverseTimeDecay(0.1, 4, 0.5, staircase=True),
        s.PolynomialDecay(0.1, 10), s.PolynomialDecay(0.1, 8, 0.01, power=2.0),
        s.PolynomialDecay(0.1, 6, 0.01, power=0.5, cycle=True),
        s.PiecewiseConstantDecay([3, 9, 15], [0.1, 0.05, 0.01, 0.001]),
        s.CosineDecay(0.1, 12), s.CosineDecay(0.1, 12, alpha=0.2),
        s.CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=5),
        s.CosineDecay(0.02, 10, alpha=0.1, warmup_target=0.1, warmup_steps=4),
        s.CosineDecayRestarts(0.1, 4), s.CosineDecayRestarts(0.1, 3, t_mul=1.5, m_mul=0.8, alpha=0.1),
        s.CosineDecayRestarts(0.1, 5, t_mul=1.0, m_mul=0.9),
    ]
    write_json(out / "schedules.json", {"keras": keras.__version__, "schedules": [
        {"config": s.serialize(one), "values": [float(one(step)) for step in range(21)]} for one in schedules]})


def make_metrics(out):
    random = np.random.default_rng(7)
    n, time, classes = 6, 11, 4
    raw = random.random((n, time, classes)) + 0.05
    labels = random.integers(0, classes, (n, time))
    raw[np.arange(n)[:, None], np.arange(time), labels] += 0.4 * random.random((n, time))
    raw /= raw.sum(-1, keepdims=True)
    binary = (random.random((n, time, 1)) < 0.35).astype(np.float32)
    arrays = {
        "binary_true": binary,
        "binary_pred": np.clip(0.3 * binary + 0.7 * random.random((n, time, 1)), 0, 1),
        "class_true": np.eye(classes)[labels], "sparse_true": labels[..., None], "class_pred": raw,
        "multi_true": (random.random((n * time, 3)) < 0.4), "multi_pred": random.random((n * time, 3)),
        "flat_true": np.eye(classes)[labels].reshape(-1, classes), "flat_pred": raw.reshape(-1, classes),
        "flat_binary_true": binary.reshape(-1, 1),
        "weight": random.uniform(0, 2, (n, time)),
        "real_true": random.standard_normal((n, time, 2)), "real_pred": random.standard_normal((n, time, 2)),
    }
    arrays["flat_binary_pred"] = arrays["binary_pred"].reshape(-1, 1)
    arrays["flat_weight"] = arrays["weight"].reshape(-1)
    arrays["binary_pred"][0, :4, 0] = 0.5  # exactly at the threshold
    arrays = {k: v.astype(np.float32) for k, v in arrays.items()}

    km, rows = keras.metrics, []

    def add(metric, true, pred, weight):
        for key in (None, weight):
            metric.reset_state()
            # Precision, Recall and AUC compare shapes element by element: the weight gets the trailing axis.
            given = arrays[key] if key else None
            if key == "weight" and isinstance(metric, (km.Precision, km.Recall, km.AUC)):
                given = given[..., None]
            metric.update_state(arrays[true], arrays[pred], sample_weight=given)
            rows.append({"metric": type(metric).__name__, "config": metric.get_config(), "y_true": true,
                         "y_pred": pred, "sample_weight": key, "result": np.asarray(metric.result()).tolist()})

    for threshold in (0.5, 0.3):
        add(km.BinaryAccuracy(threshold=threshold), "binary_true", "binary_pred", "weight")
        add(km.BinaryAccuracy(threshold=threshold), "multi_true", "multi_pred", "flat_weight")
    add(km.CategoricalAccuracy(), "class_true", "class_pred", "weight")
    add(km.SparseCategoricalAccuracy(), "sparse_true", "class_pred", "weight")
    for threshold in (None, 0.3):
        add(km.Precision(thresholds=threshold), "binary_true", "binary_pred", "weight")
        add(km.Recall(thresholds=threshold), "binary_true", "binary_pred", "weight")
    for curve in ("ROC", "PR"):
        add(km.AUC(num_thresholds=200, curve=curve), "binary_true", "binary_pred", "weight")
    for average in (None, "micro", "macro", "weighted"):
        add(km.F1Score(average=average), "flat_true", "flat_pred", "flat_weight")
        add(km.F1Score(average=average, threshold=0.4), "multi_true", "multi_pred", "flat_weight")
    add(km.F1Score(threshold=0.5), "flat_binary_true", "flat_binary_pred", "flat_weight")
    add(km.MeanSquaredError(), "real_true", "real_pred", "weight")
    add(km.MeanAbsoluteError(), "real_true", "real_pred", "weight")
    np.savez_compressed(out / "metrics.npz", **arrays)
    write_json(out / "metrics.json", {"keras": keras.__version__, "metrics": rows})


def make_losses(out):
    """Value and gradient of each loss by itself, with and without a weight for each step or each sample."""
    random = np.random.default_rng(11)
    n, time, classes = 5, 7, 4
    labels = random.integers(0, classes, (n, time))
    p = random.random((n, time, classes)) + 0.05
    arrays = {
        "one_hot": np.eye(classes)[labels], "shares": random.dirichlet(np.ones(classes), (n, time)),
        "class_numbers": labels[..., None],
        "zero_one": random.random((n, time, 2)) < 0.3, "signs": np.where(random.random((n, time, 2)) < 0.5, -1, 1),
        "soft": random.random((n, time, 2)), "counts": random.integers(0, 5, (n, time, 2)),
        "real": random.standard_normal((n, time, 2)), "real_pred": 2 * random.standard_normal((n, time, 2)),
        "positive_pred": random.random((n, time, 2)) * 3 + 0.1, "binary_pred": random.uniform(0.01, 0.99, (n, time, 2)),
        "class_pred": p / p.sum(-1, keepdims=True), "class_logits": 3 * random.standard_normal((n, time, classes)),
        "steps": random.uniform(0, 2, (n, time)), "samples": random.uniform(0.2, 2, n),
    }
    arrays["steps"][0, :3] = 0
    arrays = {k: v.astype(np.float32) for k, v in arrays.items()}
    kl, rows = keras.losses, []

    def add(loss, true, pred, *weights):
        for key in (None, *weights):
            value, gradient = jax.value_and_grad(
                lambda y: loss(arrays[true], y, sample_weight=arrays[key] if key else None))(arrays[pred])
            arrays[f"gradient{len(rows)}"] = np.asarray(gradient)
            rows.append({"loss": type(loss).__name__, "config": loss.get_config() | loss._fn_kwargs, "y_true": true, "y_pred": pred,
                         "sample_weight": key, "result": float(value), "gradient": f"gradient{len(rows)}"})

    for loss in (kl.MeanSquaredError(), kl.MeanAbsoluteError(), kl.Huber(0.7), kl.LogCosh(), kl.CosineSimilarity(),
                 kl.MeanAbsolutePercentageError(), kl.MeanSquaredError("mean_with_sample_weight")):
        add(loss, "real", "real_pred", "steps")
    add(kl.MeanSquaredLogarithmicError(), "counts", "positive_pred", "steps")
    add(kl.Poisson(), "counts", "positive_pred", "steps")
    for loss in (kl.Hinge(), kl.SquaredHinge()):
        add(loss, "zero_one", "real_pred", "steps")
        add(loss, "signs", "real_pred", "steps")
    add(kl.CategoricalHinge(), "one_hot", "class_logits", "steps")
    for true in ("one_hot", "shares"):
        add(kl.KLDivergence(), true, "class_pred", "steps")
    for loss in (kl.BinaryCrossentropy, kl.BinaryFocalCrossentropy):
        for true in ("zero_one", "soft"):
            add(loss(), true, "binary_pred", "steps")
            add(loss(label_smoothing=0.1), true, "binary_pred", "steps")
            add(loss(from_logits=True), true, "real_pred", "steps")
    for gamma in (0.0, 0.5, 3.0):
        add(kl.BinaryFocalCrossentropy(True, 0.8, gamma), "soft", "binary_pred", "steps")
        add(kl.BinaryFocalCrossentropy(True, 0.8, gamma, True), "soft", "real_pred", "steps")
        add(kl.CategoricalFocalCrossentropy(0.6, gamma), "shares", "class_pred", "steps")
        add(kl.CategoricalFocalCrossentropy(0.6, gamma, True), "one_hot", "class_logits", "steps")
    for loss in (kl.CategoricalCrossentropy, kl.CategoricalFocalCrossentropy):
        for smoothing in (0.0, 0.2):
            add(loss(label_smoothing=smoothing), "one_hot", "class_pred", "steps")
            add(loss(from_logits=True, label_smoothing=smoothing), "one_hot", "class_logits", "steps")
    add(kl.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1), "class_numbers", "class_logits")
    # Weights of steps weigh within the sums here, and only outside of them in Keras: compared without, or where a
    # sample has one of both.
    for loss in (kl.Dice, lambda **k: kl.Tversky(0.7, 0.2, **k)):
        for axis in (None, [0, 1], [1], [2], [-1, 1], 0):
            add(loss(axis=axis), "zero_one", "binary_pred")
            add(loss(axis=axis, reduction="sum"), "shares", "class_pred")
        add(loss(axis=[1, 2]), "soft", "binary_pred", "samples")
        add(loss(axis=[1, 2], reduction="mean_with_sample_weight"), "one_hot", "class_pred", "samples")
    np.savez_compressed(out / "losses.npz", **arrays)
    write_json(out / "losses.json", {"keras": keras.__version__, "losses": rows})


# ---- comparing -------------------------------------------------------------------------------------------

def contents(path):
    """The numbers of a file by name, and everything else of it as one comparable value."""
    if path.suffix == ".npz":
        return dict(np.load(path)), None
    if path.suffix == ".json":
        numbers = {}

        def strip(value, where):
            if isinstance(value, dict):
                return {k: strip(v, f"{where}/{k}") for k, v in value.items()}
            if isinstance(value, list):
                return [strip(v, f"{where}/{i}") for i, v in enumerate(value)]
            if isinstance(value, float):
                numbers[where] = np.float32(value)
                return "number"
            return value
        return numbers, strip(json.loads(path.read_text()), "")
    with zipfile.ZipFile(path) as archive:
        arrays = {}
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            file.visititems(lambda n, d: arrays.update({n: d[()]}) if isinstance(d, h5py.Dataset) else None)
        config = archive.read("config.json").decode()
        return arrays, json.loads(config, object_hook=lambda d: {
            k: v for k, v in d.items() if k != "shared_object_id"})


# Processors round in other ways, and training adds to it: Adam divides by the root of what may be noise.
LOOSER = {"sgd": 10, "adam": 100}


def compare(made, kept, tolerance):
    """Names of differences between two folders of cases."""
    ours, theirs = ({p.name for p in d.iterdir() if p.suffix in (".keras", ".npz", ".json")} for d in (made, kept))
    for name in sorted(ours ^ theirs):
        yield f"{name}: only in {'the new set' if name in ours else kept}"
    for name in sorted(ours & theirs):
        (new, new_rest), (old, old_rest) = contents(made / name), contents(kept / name)
        if new_rest != old_rest:
            yield f"{name}: configuration differs"
        if new.keys() != old.keys():
            yield f"{name}: {sorted(new.keys() ^ old.keys())} not in both"
        for key in sorted(new.keys() & old.keys()):
            if new[key].shape != old[key].shape or new[key].dtype != old[key].dtype:
                yield f"{name} {key}: {new[key].dtype}{new[key].shape} against {old[key].dtype}{old[key].shape}"
                continue
            within = tolerance * LOOSER.get(key.split("/")[0], 1)
            if not np.allclose(new[key], old[key], rtol=within, atol=within, equal_nan=True):
                worst = np.max(np.abs(new[key].astype(np.float64) - old[key]))
                yield f"{name} {key}: differs by up to {worst:.3g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=pathlib.Path, help="folder to write")
    parser.add_argument("--only", default="*", help="only cases whose name matches this pattern")
    parser.add_argument("--compare", type=pathlib.Path, metavar="DIR", help="compare fresh cases with this folder")
    parser.add_argument("--tolerance", type=float, default=1e-6, help="rtol and atol of --compare; after steps of SGD 10 times it, of Adam 100 times")
    parser.add_argument("--part", default="1/1", metavar="I/N", help="only every N-th case, from the I-th")
    options = parser.parse_args()
    first, parts = map(int, options.part.split("/"))
    chosen = {name for i, name in enumerate([*CASES, "schedules", "metrics", "losses"])
              if i % parts == first - 1 and fnmatch.fnmatch(name, options.only)}
    if not options.out and not options.compare:
        parser.error("give OUT or --compare DIR")

    def make(out):
        out.mkdir(parents=True, exist_ok=True)
        for name in filter(chosen.__contains__, CASES):
            print(name, flush=True)
            make_case(name, out)
        for name, function in {"schedules": make_schedules, "metrics": make_metrics, "losses": make_losses}.items():
            if name in chosen:
                print(name, flush=True)
                function(out)

    if options.out:
        make(options.out)
    if options.compare:
        if not options.compare.is_dir():
            parser.error(f"{options.compare} is no folder")
        with tempfile.TemporaryDirectory() as fresh:
            made = options.out or pathlib.Path(fresh)
            if not options.out:
                make(made)
            differences = [d for d in compare(made, options.compare, options.tolerance)
                           if parts == 1 and options.only == "*"
                           or d.split(":")[0].split(" ")[0].rsplit(".", 1)[0] in chosen]
        print(*differences, f"{len(differences)} differences", sep="\n")
        return 1 if differences else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
