"""Watches the tests of Keras at work: what was called with what, and what was compared with which numbers."""
import dataclasses
import inspect
import unittest

import jax
import keras
import numpy as np
from keras.src import activations, backend, constraints, losses, metrics, optimizers, regularizers, testing, tree
from keras.src.backend.common.keras_tensor import KerasTensor
from keras.src.optimizers.base_optimizer import BaseOptimizer
from keras.src.optimizers.schedules.learning_rate_schedule import LearningRateSchedule


@dataclasses.dataclass
class Event:
    """One call from a test into Keras."""
    kind: str
    thing: object
    given: tuple
    options: dict
    outputs: list  # NumPy arrays, flat
    before: object = None  # of layers: weights; of others what their replay needs
    earlier: list = dataclasses.field(default_factory=list)  # calls of the same thing


@dataclasses.dataclass
class Claim:
    """One comparison with numbers."""
    test: str
    expected: np.ndarray
    event: Event = None
    output: int = 0
    row: int = None  # the comparison is with this row of the output alone
    tolerance: float = 1e-6


def is_concrete(*values):
    leaves = tree.flatten(values)
    return not any(isinstance(x, (KerasTensor, jax.core.Tracer)) for x in leaves)


def numbers(value):
    """A copy in NumPy, or None for what holds no numbers."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (bool, str)) or value is None:
        return None
    try:
        array = np.array(keras.ops.convert_to_numpy(value))
    except Exception:
        return None
    return array if array.dtype.kind in "fiub" or array.dtype.name == "bfloat16" else None


class Watch:
    def __init__(self):
        self.depth, self.events, self.claims, self.file, self.test, self.by_thing = 0, [], [], "", "", {}
        self.watch_tests()
        self.watch_call(keras.layers.Layer, "__call__", "layer", before=lambda layer: (
            [w.numpy() for w in layer.weights] if layer.built else None))
        self.watch_call(keras.Model, "predict", "layer", before=lambda m: [w.numpy() for w in m.weights])
        for method in ("reset_state", "reset_states"):
            for cls in (keras.layers.RNN, keras.layers.Bidirectional):
                if method in vars(cls):
                    self.watch_call(cls, method, "reset")
        self.watch_call(losses.Loss, "__call__", "loss")
        for method in ("update_state", "__call__"):
            self.watch_metrics(method)
        self.watch_call(BaseOptimizer, "apply", "optimizer", before=self.variables)
        self.watch_call(BaseOptimizer, "_clip_gradients", "clip")
        for base, kind in ((LearningRateSchedule, "schedule"), (regularizers.Regularizer, "regularizer"),
                           (constraints.Constraint, "constraint")):
            for cls in self.kinds_of(base):
                if "__call__" in vars(cls):
                    self.watch_call(cls, "__call__", kind)
        self.watch_activations()

    @staticmethod
    def kinds_of(base):
        found, waiting = [], [base]
        while waiting:
            cls = waiting.pop()
            found.append(cls)
            waiting += cls.__subclasses__()
        return found

    @staticmethod
    def variables(optimizer):
        return None

    def watch_tests(self):
        watch, run = self, unittest.TestCase.run

        def run_one(case, result=None):
            watch.events, watch.by_thing, watch.depth = [], {}, 0
            watch.test = case.id().split(".", case.id().split(".").index(case.__class__.__name__))[-1] if (
                case.__class__.__name__ in case.id().split(".")) else case.id()
            return run(case, result)
        unittest.TestCase.run = run_one
        for name, exact in (("assertAllClose", False), ("assertAlmostEqual", False), ("assertAllEqual", True)):
            self.watch_comparison(name, exact)

    def watch_comparison(self, name, exact):
        watch, compare = self, getattr(testing.TestCase, name)

        def compared(case, actual, desired, *rest, **options):
            compare(case, actual, desired, *rest, **options)
            caller = inspect.currentframe().f_back.f_code
            # Keras' run_layer_test compares the other way round with what the test says of a layer's output.
            is_of_layer = caller.co_name == "run_output_asserts"
            if is_of_layer:
                actual, desired = desired, actual
            if caller.co_filename != watch.file and not is_of_layer or watch.depth:
                return
            if isinstance(desired, (jax.Array, keras.Variable)) and not is_of_layer or not is_concrete(actual, desired):
                return
            got, expected = numbers(actual), numbers(desired)
            if got is None or expected is None or expected.dtype.kind not in "fiu" or got.dtype.kind == "b":
                return
            if np.broadcast_shapes(got.shape, expected.shape) != got.shape:
                return
            expected = np.broadcast_to(expected, got.shape).astype("float64")
            if name == "assertAlmostEqual":
                places = options.get("decimal", rest[0] if rest else 3)
                tolerance = 1.5 * 10.0 ** -places
            else:
                tolerance = 1e-6 if exact else max([1e-6, options.get("atol", 0), options.get("rtol", 0), *rest[:2]])
            watch.claims.append(watch.find(got, expected, tolerance))
        setattr(testing.TestCase, name, compared)

    def find(self, got, expected, tolerance):
        claim = Claim(self.test, expected, tolerance=tolerance)
        for event in reversed(self.events):
            for i, output in enumerate(event.outputs):
                if output.shape == got.shape and np.array_equal(output, got, equal_nan=True):
                    claim.event, claim.output = event, i
                    return claim
        for event in reversed(self.events):
            for i, output in enumerate(event.outputs):
                for row in range(len(output) if output.ndim else 0):
                    if output[row].shape == got.shape and np.array_equal(output[row], got, equal_nan=True):
                        claim.event, claim.output, claim.row = event, i, row
                        return claim
        return claim

    def watch_call(self, cls, method, kind, before=None):
        watch, call = self, getattr(cls, method)

        def called(thing, *given, **options):
            outermost = watch.depth == 0 and is_concrete(given, options)
            first = before(thing) if outermost and before else None
            taken = tree.map_structure(lambda x: numbers(x) if hasattr(x, "shape") else x, (given, options)) if (
                outermost and kind not in ("optimizer",)) else (given, options)
            if outermost and kind == "layer" and options.get("mask") is None:
                carried = [numbers(backend.get_keras_mask(x)) for x in tree.flatten(given) if hasattr(x, "shape")]
                if any(mask is not None for mask in carried):
                    taken = (taken[0], taken[1] | {"mask": carried})
            if outermost and kind == "optimizer":
                grads, variables = given[0], (given[1] if len(given) > 1 else options.get("trainable_variables"))
                variables = variables or thing._trainable_variables
                if isinstance(variables, keras.Variable):
                    variables = [variables]
                taken = (([numbers(g) for g in grads], [id(v) for v in variables]),
                         {"overwrites": any(getattr(v, "overwrite_with_gradient", False) for v in variables)})
                first = {id(v): v.numpy() for v in variables}
            watch.depth += 1
            try:
                result = call(thing, *given, **options)
            finally:
                watch.depth -= 1
            if outermost:
                if kind == "optimizer":
                    outputs = [v.numpy() for v in variables]
                else:
                    outputs = [a for a in map(numbers, tree.flatten(result)) if a is not None]
                if kind == "layer" and first is None:
                    first = [w.numpy() for w in thing.weights]
                watch.add(Event(kind, thing, *taken, outputs, first))
            return result
        setattr(cls, method, called)

    def add(self, event):
        same = self.by_thing.setdefault(id(event.thing), [])
        event.earlier = list(same)
        same.append(event)
        self.events.append(event)

    def watch_metrics(self, method):
        watch = self
        for cls in self.kinds_of(metrics.Metric):
            if method not in vars(cls):
                continue

            def watched(metric, *given, _call=vars(cls)[method], **options):
                outermost = watch.depth == 0 and is_concrete(given, options)
                taken = tree.map_structure(lambda x: numbers(x) if hasattr(x, "shape") else x, (given, options))
                watch.depth += 1
                try:
                    result = _call(metric, *given, **options)
                    if outermost:
                        value = metric.result()
                finally:
                    watch.depth -= 1
                if outermost:
                    outputs = [] if isinstance(value, dict) else [numbers(value)]
                    watch.add(Event("metric", metric, *taken, outputs))
                return result
            setattr(cls, method, watched)
        if method == "__call__":
            self.watch_call(metrics.Metric, "reset_state", "reset")

    def watch_activations(self):
        for name, function in list(vars(activations).items()):
            if inspect.isfunction(function) and name not in ("get", "serialize", "deserialize"):
                def called(*given, _call=function, _name=name, **options):
                    self.depth += 1
                    try:
                        result = _call(*given, **options)
                    finally:
                        self.depth -= 1
                    if self.depth == 0 and is_concrete(given, options):
                        out = numbers(result)
                        if out is not None:
                            self.add(Event("activation", _name, tuple(map(numbers, given)), options, [out]))
                    return result
                called.__name__ = name
                setattr(activations, name, called)
