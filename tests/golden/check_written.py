#!/usr/bin/env python3
"""Reads models that Sonde wrote back into real Keras: check_written.py DIR

Every DIR/NAME.keras with a DIR/NAME.npz beside it (x0, x1 … and predict0, predict1 …; y0 … if the file carries a
compiled loss that wants them) must load in safe mode without a warning, predict the same to 1e-5 of the output's
scale, and train for one step.
"""
import os
import pathlib
import sys
import warnings

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow, where installed, talks while it loads

import keras  # noqa: E402
import numpy as np  # noqa: E402

TOLERANCE = 1e-5


def numbered(arrays, stem):
    found = []
    while f"{stem}{len(found)}" in arrays:
        found.append(arrays[f"{stem}{len(found)}"])
    return found


def one(values):
    return values[0] if len(values) == 1 else values


def check(path):
    """Says what is right with the file; raises ValueError with what is wrong."""
    arrays = np.load(path.with_suffix(".npz"))
    x, expected, y = (numbered(arrays, stem) for stem in ("x", "predict", "y"))
    if not x or not expected:
        raise ValueError("the .npz lacks x0 or predict0")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        model = keras.saving.load_model(path, safe_mode=True)
    noise = [str(w.message).splitlines()[0] for w in caught if issubclass(w.category, UserWarning)]
    if noise:
        raise ValueError("Keras warned: " + "; ".join(noise))
    predicted = model.predict(one(x), batch_size=len(x[0]), verbose=0)
    predicted = predicted if isinstance(predicted, (list, tuple)) else [predicted]
    if len(predicted) != len(expected):
        raise ValueError(f"{len(predicted)} outputs, expected {len(expected)}")
    worst = 0.0
    for i, (got, want) in enumerate(zip(predicted, expected)):
        got = np.asarray(got)
        if got.shape != want.shape:
            raise ValueError(f"output {i} has shape {got.shape}, expected {want.shape}")
        difference = np.abs(got.astype(np.float64) - want).max() / (np.abs(want).max() or 1.0)
        if not difference <= TOLERANCE:
            raise ValueError(f"output {i} differs by {difference:.2g} of its scale")
        worst = max(worst, difference)
    compiled = model.compiled and y
    if not compiled:
        model.compile(optimizer=keras.optimizers.SGD(1e-3), loss=one(["mse"] * len(expected)))
    loss = np.ravel(model.train_on_batch(one(x), one(y if compiled else [np.full_like(e, 0.5) for e in expected])))[0]
    if not np.isfinite(loss):
        raise ValueError(f"the loss of one training step is {loss}")
    return f"predicts to {worst:.1e}, trains ({'its own' if compiled else 'mse'} loss {loss:.4g})"


def main():
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    passed = failed = 0
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.keras")):
        if not path.with_suffix(".npz").exists():
            print(f"{path.stem}: skipped, no .npz beside it")
            continue
        keras.utils.clear_session()
        try:
            print(f"{path.stem}: {check(path)}", flush=True)
            passed += 1
        except Exception as error:  # whatever Keras raises is a finding
            print(f"{path.stem}: FAILED: {type(error).__name__}: {str(error).strip()[:500]}", flush=True)
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
