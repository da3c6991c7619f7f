#!/usr/bin/env python3
"""Runs the tests of Keras itself and writes down what they hold against numbers: inputs, arguments, expected numbers.

    pip install pytest && record.py cases        in the environment of tools/python_env.sh golden

Only numbers are taken, each with the file and test it comes from; README.md beside this file says how they are used.
"""
import importlib
import io
import json
import os
import pathlib
import sys
import types
import unittest

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # everything runs once
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from replays import Left, replay  # noqa: E402
from watch import Watch  # noqa: E402

FILES = """
layers/rnn/lstm layers/rnn/gru layers/rnn/simple_rnn layers/rnn/bidirectional layers/rnn/rnn
layers/rnn/stacked_rnn_cells layers/rnn/time_distributed
layers/convolutional/conv layers/convolutional/conv_transpose layers/convolutional/depthwise_conv
layers/convolutional/separable_conv layers/pooling/average_pooling layers/pooling/max_pooling
layers/pooling/global_average_pooling layers/pooling/global_max_pooling
layers/normalization/batch_normalization layers/normalization/layer_normalization
layers/normalization/group_normalization layers/normalization/unit_normalization layers/preprocessing/normalization
layers/attention/attention layers/attention/additive_attention layers/attention/multi_head_attention
layers/activations/activation layers/activations/elu layers/activations/leaky_relu layers/activations/prelu
layers/activations/relu layers/activations/softmax
layers/core/dense layers/core/embedding layers/core/masking layers/merging/merging
layers/preprocessing/rescaling layers/regularization/activity_regularization
layers/reshaping/cropping1d layers/reshaping/flatten layers/reshaping/permute layers/reshaping/repeat_vector
layers/reshaping/reshape layers/reshaping/up_sampling1d layers/reshaping/zero_padding1d
activations/activations losses/losses losses/loss
metrics/accuracy_metrics metrics/confusion_metrics metrics/f_score_metrics metrics/hinge_metrics
metrics/probabilistic_metrics metrics/reduction_metrics metrics/regression_metrics
optimizers/sgd optimizers/adam optimizers/adamw optimizers/rmsprop optimizers/optimizer
optimizers/adadelta optimizers/adafactor optimizers/adagrad optimizers/adamax optimizers/ftrl optimizers/lamb
optimizers/lion optimizers/nadam optimizers/schedules/learning_rate_schedule
regularizers/regularizers constraints/constraints
""".split()

LARGEST = 30_000  # characters of one case


def skip_if_backend(name, reason):
    return unittest.skipIf(name == keras.backend.backend(), reason)


# What some tests import from a file beside Keras' sources, which the package leaves out.
sys.modules["conftest"] = types.SimpleNamespace(skip_if_backend=skip_if_backend)


def record(name, watch):
    """All comparisons with numbers in one test file of Keras: replays, and why some have none."""
    module = importlib.import_module("keras.src." + name.replace("/", ".") + "_test")
    cases, left, seen = [], {}, set()
    tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    watch.file = module.__file__
    watch.claims = []
    unittest.TextTestRunner(stream=io.StringIO()).run(tests)
    for claim in watch.claims:
        try:
            case = {"test": claim.test} | replay(claim)
        except Exception as reason:
            text = str(reason) if isinstance(reason, Left) else f"no case can be made of it: {type(reason).__name__}"
            left[text] = left.get(text, 0) + 1
            continue
        text = json.dumps(case, sort_keys=True)
        if len(text) > LARGEST:
            left["too many numbers to keep"] = left.get("too many numbers to keep", 0) + 1
        elif text not in seen:
            seen.add(text)
            cases.append(case)
    return {"keras": keras.__version__, "file": f"keras/src/{name}_test.py", "cases": cases, "left_out": left}


def main():
    out = pathlib.Path(sys.argv[1])
    wanted = sys.argv[2:] or FILES
    out.mkdir(parents=True, exist_ok=True)
    watch = Watch()
    for name in wanted:
        try:
            found = record(name, watch)
        except ModuleNotFoundError as missing:
            print(f"{name}: needs {missing.name}")
            continue
        if not found["cases"] and not found["left_out"]:
            print(f"{name}: holds nothing against numbers")
            continue
        lines = ",\n".join(json.dumps(case) for case in found.pop("cases"))
        head = json.dumps(found)[:-1]
        path = out / (name.replace("/", "-") + ".json")
        path.write_text(f'{head}, "cases": [\n{lines}\n]}}\n')
        count = lines.count("\n") + bool(lines)
        print(f"{name}: {count} cases, {path.stat().st_size} bytes, left out {found['left_out']}", flush=True)


if __name__ == "__main__":
    np.random.seed(1)
    main()
