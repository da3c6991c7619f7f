"""Runs networks in Keras and in Sonde and says where they differ.

A Trip is one network on its way: `begin` makes it with Keras and writes it, the program run_networks runs it, `end`
compares and loads what Sonde wrote. What Keras computes is kept in memory between the two.
"""
import pathlib
import subprocess
import tempfile
import warnings
import zlib

import keras
import numpy as np

PREDICT, TRAIN, STEPS = 1e-5, 1e-4, 3
EAGER = keras.backend.backend() == "tensorflow"  # tracing a graph costs it more than running these few steps


class Difference(Exception):
    """What differs; `kind` stays the same while a failure shrinks."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind = kind


def draw_first_weights_without_compiling():
    """All weights are set afterwards; JAX would compile a program for each shape of each initializer."""
    def zeros(self, shape, dtype=None, **_):
        return keras.ops.convert_to_tensor(np.zeros(shape, dtype or "float32"))
    for name in dir(keras.initializers):
        found = getattr(keras.initializers, name)
        if isinstance(found, type) and found.__module__.endswith("random_initializers"):
            found.__call__ = zeros


def coarse(values, parts=64):
    return (np.round(values * parts) / parts).astype(np.float32)


def draw_weight(random, variable):
    kind, shape = variable.path.rsplit("/", 1)[-1], tuple(variable.shape)
    if kind == "count":
        return np.zeros(shape, np.int32)
    if kind in ("gamma", "variance", "moving_variance"):
        return coarse(random.uniform(0.5, 1.5, shape), 4096)
    high = 0.5
    if "kernel" in kind:
        high = np.sqrt(6.0 / (int(np.prod(shape[:-1])) + int(np.prod(shape[:-2])) * shape[-1]))
    drawn = coarse(random.uniform(-high, high, shape), 4096)
    # None is 0: there the slope of |w|, as of L1, is 1 on JAX and 0 on TensorFlow (and here).
    return np.where(drawn == 0, np.float32(1 / 4096), drawn)


def draw_input(random, network, source):
    shape = tuple(network.steps if s is None else s for s in source.shape)
    if source.classes:
        x = random.integers(0, source.classes, (network.rows, *shape))
        x[:, 1:] *= random.random(x[:, 1:].shape) < 0.7  # 0 may be a mask
        return x.astype(np.float32)
    x = coarse(random.standard_normal((network.rows, *shape)))
    if source.hole is not None:
        for row in x:
            row[random.integers(1, shape[0] + 1):] = source.hole
            if random.random() < 0.3:
                row[random.integers(shape[0])] = source.hole
    return x


def draw_target(random, loss, shape):
    kind = loss.kind
    if "Binary" in kind:
        return (random.random(shape) < 0.4).astype(np.float32)
    if "Sparse" in kind:
        return random.integers(0, shape[-1], (*shape[:-1], 1)).astype(np.float32)
    if "Categorical" in kind:
        return np.eye(shape[-1], dtype=np.float32)[random.integers(0, shape[-1], shape[:-1])]
    return random.standard_normal(shape).astype(np.float32)


def set_weights(model, values):
    for variable, value in zip(model.weights, values):
        variable.assign(value)
    for layer in model._flatten_layers():
        if hasattr(layer, "finalize_state"):  # a Normalization computes with copies of its weights
            layer.finalize_state()


def as_list(values):
    return list(values) if isinstance(values, (list, tuple)) else [values]


def one(values):
    return values[0] if len(values) == 1 else values


def arrays_of(values):
    return [np.asarray(keras.ops.convert_to_numpy(v)) for v in values]


def predict(model, x):
    rows = len(x[0])
    return arrays_of(as_list(model(one(x), training=False) if EAGER else model.predict(one(x), rows, verbose=0)))


def worst(got, expected, before=None):
    """The greatest difference, in parts of the greatest number there is."""
    if got.shape != expected.shape:
        return np.inf
    if not expected.size:
        return 0.0
    scale = max(np.abs(expected).max(), 1e-3, 0 if before is None else np.abs(expected - before).max())
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(np.abs(got.astype(np.float64) - expected) / scale, nan=np.inf).max())


class Trip:
    def __init__(self, network):
        self.network, self.random = network, np.random.default_rng(zlib.crc32(network.name.encode()))

    def make(self, change=0.0):
        """The model with its weights, compiled; `change` moves every weight by so many parts of it."""
        network = self.network
        keras.utils.clear_session(free_memory=False)
        model = network.make()
        self.before = [draw_weight(self.random, v) for v in model.weights]
        noise = np.random.default_rng(1)
        set_weights(model, [w if not change or w.dtype != np.float32 else
                            (w * (1 + change * noise.choice([-1, 1], w.shape))).astype(np.float32) for w in self.before])
        if network.optimizer:
            model.compile(optimizer=network.optimizer.make(), loss=one([loss.make() for loss in network.losses]),
                          loss_weights=network.loss_weights, run_eagerly=EAGER, jit_compile=False if EAGER else "auto")
        return model

    def begin(self, folder):
        """Keras' part; False where its own numbers are not fit for comparing."""
        network = self.network
        model = self.make()
        self.layers = [type(layer).__name__ for layer in model._flatten_layers()]
        self.path = folder / f"{network.name}.keras"
        model.save(self.path)
        self.x = [draw_input(self.random, network, s) for s in network.inputs.values()]
        self.predicted = predict(model, self.x)
        self.trained = network.optimizer is not None
        if self.trained:
            self.y = [draw_target(self.random, loss, p.shape) for loss, p in zip(network.losses, self.predicted)]
            shape = self.predicted[0].shape
            # A weight for each step; Keras' losses take none where a step has another axis.
            self.weight = self.random.uniform(0, 2, shape[:max(1, len(shape) - 1)]).astype(
                np.float32) if network.weighted and len(shape) <= 3 else None
            self.loss, self.after = self.train(model)
        arrays = {f"x{i}": x for i, x in enumerate(self.x)}
        if self.trained:
            arrays |= {f"y{i}": y for i, y in enumerate(self.y)}
            if self.weight is not None:
                arrays["w0"] = self.weight
        np.savez(self.path.with_suffix(".npz"), **arrays)
        numbers = [*self.predicted, *(self.after if self.trained else [])]
        if not all(np.isfinite(a).all() and np.abs(a).max(initial=0) < 1e4 for a in numbers):
            self.path.unlink()
            return False
        return True

    def train(self, model):
        history = model.fit(one(self.x), one(self.y), sample_weight=self.weight, epochs=STEPS, shuffle=False,
                            batch_size=self.network.rows, verbose=0)
        return np.asarray(history.history["loss"]), arrays_of(model.weights)

    def end(self):
        """Compares; raises a Difference."""
        error = self.path.with_suffix(".error")
        if error.exists():
            text = error.read_text()
            raise Difference("refused" if "died" not in text else "crash", text)
        out = dict(np.load(self.path.with_suffix(".out.npz")))

        def numbered(stem):
            return [out[f"{stem}{i}"] for i in range(sum(k.rstrip("0123456789") == stem for k in out))]

        def compare(kind, got, expected, tolerance, names=None, before=None):
            if len(got) != len(expected):
                raise Difference(kind, f"{len(got)} arrays, Keras has {len(expected)}")
            for i, (g, e) in enumerate(zip(got, expected)):
                difference = worst(g, e, before[i] if before else None)
                if not difference <= tolerance:
                    name = names[i] if names else i
                    raise Difference(kind, f"{name} {e.shape} differs by {difference:.2g} of its scale (shape {g.shape})")
        compare("weights read", numbered("before"), [b.astype(np.float32) for b in self.before], 0)
        compare("prediction", numbered("predict"), self.predicted, PREDICT)
        if self.trained:
            compare("loss", list(np.atleast_1d(out["loss"])), list(self.loss), TRAIN)
            compare("trained weights", numbered("after"), [a.astype(np.float32) for a in self.after], TRAIN,
                    before=self.before)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            warnings.filterwarnings("ignore", message=".*(mask|softmax over axis|structure of `inputs`).*")
            try:
                model = keras.saving.load_model(self.path.with_suffix(".out.keras"), safe_mode=True)
            except Exception as reason:
                raise Difference("written file", f"{type(reason).__name__}: {str(reason)[:2000]}") from reason
        compare("written file", predict(model, self.x), numbered("trained" if self.trained else "predict"), PREDICT)

    def unsteady(self):
        """How far Keras' own numbers move when its weights move by a rounding."""
        self.random = np.random.default_rng(zlib.crc32(self.network.name.encode()))
        moved = 0.0
        model = self.make(change=1.2e-7)
        for got, expected in zip(predict(model, self.x), self.predicted):
            moved = max(moved, worst(got, expected) / PREDICT)
        if self.trained:
            loss, after = self.train(model)
            moved = max(moved, worst(loss, self.loss) / TRAIN)
            for got, expected, before in zip(after, self.after, self.before):
                moved = max(moved, worst(got, expected, before) / TRAIN)
        return moved


def run_in_sonde(program, folder):
    for _ in range(100):  # it may die of one network; called again, it goes on with the next
        if not subprocess.run([program, str(folder), str(STEPS)], stderr=subprocess.DEVNULL).returncode:
            return
    raise RuntimeError(f"{program} died again and again")


def difference_of(network, program):
    """The Difference that a network shows, or None; whatever Keras does not take is no difference."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try:
            trip = Trip(network)
            if not trip.begin(folder):
                return None
        except Exception:
            return None
        run_in_sonde(program, folder)
        try:
            trip.end()
        except Difference as difference:
            return difference
    return None
