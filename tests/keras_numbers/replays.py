"""What a watched call becomes: a few numbers and configs from which the program beside this file does the same."""
import inspect
import json

import keras
import numpy as np
from keras.src import tree

MASKED = -9876.5  # stands where a mask leaves out a step
OTHER_LAYERS = {"Conv3D", "Conv3DTranspose", "Conv2DTranspose", "MaxPooling3D", "AveragePooling3D", "AdaptiveMaxPooling1D",
                "GlobalMaxPooling3D", "GlobalAveragePooling3D", "DepthwiseConv2D", "SeparableConv2D"}


HALF = ("float16", "bfloat16")
ATTENTION = (keras.layers.MultiHeadAttention, keras.layers.Attention, keras.layers.AdditiveAttention)


class Left(Exception):
    """Why a comparison of Keras' tests has no replay."""


def listed(array):
    array = np.asarray(array)
    # A float32 in as few digits as tell it from others.
    short = (lambda x: float(str(x))) if array.dtype == np.float32 else float
    return {"shape": list(array.shape), "values": [short(x) for x in array.ravel()]}


def replay(claim):
    event = claim.event
    if event is None:
        raise Left("compares something else than the result of one call")
    case = KINDS[event.kind](event, claim)
    return case | {"kind": event.kind, "expected": listed(claim.expected), "tolerance": float(claim.tolerance)}


def config_of(thing):
    config = thing.get_config()
    if "reduction" in config and config["reduction"] is None:
        config["reduction"] = "none"
    if str(config.get("dtype") or "float32") not in ("float32", "None") and not isinstance(config.get("dtype"), dict):
        raise Left("another type than float32")
    return {"class_name": type(thing).__name__, "config": json.loads(json.dumps(
        config, default=lambda x: keras.saving.serialize_keras_object(x)))}


# Layers: a functional model around the one that was called.

def ours(layer):
    """The same layer of classes that are Keras' own: cells of the tests' making that do what SimpleRNNCell does."""
    config = keras.saving.serialize_keras_object(layer)
    text = json.dumps(config)
    if "TwoStatesRNNCell" in text or "OneStateRNNCell" in text:
        def cell(c):
            if isinstance(c, keras.layers.StackedRNNCells):
                return keras.layers.StackedRNNCells([cell(x) for x in c.cells])
            if type(c).__name__ != "OneStateRNNCell":
                raise Left("a cell of the test's own making")
            return keras.layers.SimpleRNNCell(c.units, activation=None, use_bias=False)
        arguments = {k: v for k, v in layer.get_config().items() if k not in ("cell", "dtype")}
        return keras.layers.RNN(cell(layer.cell), **arguments)
    if isinstance(layer, (keras.models.Sequential, keras.src.models.Functional)):
        return keras.models.clone_model(layer)
    known = getattr(keras.layers, type(layer).__name__, getattr(keras, type(layer).__name__, None))
    if known is not type(layer):
        raise Left("a layer of the test's own making")
    if layer.compute_dtype in HALF:  # the numbers are the same to the test's tolerance
        config["config"]["dtype"] = "float32"
    return keras.saving.deserialize_keras_object(config)


def architecture(model):
    """Keras' JSON without what only says how things were built."""
    def slim(value):
        if isinstance(value, dict):
            return {k: slim(v) for k, v in value.items() if k not in ("build_config", "registered_name")}
        return [slim(v) for v in value] if isinstance(value, list) else value
    return slim(json.loads(model.to_json()))


def layer_case(event, claim):
    layer = event.thing
    kind = type(layer).__name__
    if kind in OTHER_LAYERS or "3D" in kind:
        raise Left(f"{kind} does not exist here")
    if event.options.get("training"):
        raise Left("the outcome of training = True, or of chance")
    stateful = getattr(layer, "stateful", False)
    is_attention = isinstance(layer, ATTENTION)
    joins = is_attention or isinstance(layer, keras.src.layers.merging.base_merge.Merge)
    given = event.given or tuple(event.options[k] for k in ("query", "value", "key") if is_attention and
                                 event.options.get(k) is not None)
    if not given:
        raise Left("a call without arrays")
    x = given[0]
    arrays = list(x) if isinstance(x, (list, tuple)) else [x]
    if not arrays or any(a is None or not hasattr(a, "shape") or not a.ndim for a in arrays):
        raise Left("a call without arrays")
    states = event.options.get("initial_state")
    states = [] if states is None else list(states) if isinstance(states, (list, tuple)) else [states]
    more = [a for a in given[1:] if a is not None]
    masks = event.options.get("mask")
    if len(more) == 1 and list(inspect.signature(layer.call).parameters)[1:2] == ["mask"]:
        masks, more = more[0].astype(bool), []
    extra = {k: v for k, v in event.options.items() if v is not None and k not in (
        "mask", "initial_state", "training", "query", "value", "key")}
    if extra and not is_attention or any(k not in ("return_attention_scores", "use_causal_mask") for k in extra):
        raise Left("arguments of a call beyond mask and initial_state")
    given = arrays + states + more
    lifted = kind in ("ReLU", "LeakyReLU", "ELU") and given[0].ndim == 1 and claim.row is None
    if lifted:  # number by number, so that a batch of one row says the same
        given, arrays = [given[0][None]], [given[0][None]]
    if len({len(a) for a in given}) > 1:
        raise Left("inputs of different numbers of rows")

    try:
        copy = ours(layer)
    except ValueError as error:
        raise Left("a layer of the test's own making") from error
    inputs = [keras.Input(a.shape[1:], batch_size=len(a) if stateful else None) for a in given]
    tensors = list(inputs)
    given = [a.astype("float32") for a in given]
    if masks is not None:
        masks = list(masks) if isinstance(masks, (list, tuple)) else [masks]
        for i, mask in enumerate(masks):
            if mask is None:
                continue
            if i >= len(given) or mask.ndim != 2 or given[i].ndim != 3 or len(masks) > 1 and not joins:
                raise Left("a mask that is not one of time steps")
            given[i] = np.where(mask[..., None], given[i], np.float32(MASKED))
            tensors[i] = keras.layers.Masking(MASKED)(inputs[i])
    try:
        first = tensors[:len(arrays)]
        first = first if isinstance(x, (list, tuple)) else first[0]
        if isinstance(layer, keras.layers.MultiHeadAttention):
            result = copy(first, *tensors[len(arrays):], **extra)
        elif is_attention:
            result = copy(first, **extra)
        elif states:
            result = copy(first, initial_state=tensors[len(arrays):])
        else:
            result = copy(first, *tensors[len(arrays):])
    except Exception as error:
        raise Left(f"no model can be made of it: {type(error).__name__}") from error
    outputs = tree.flatten(result)
    model = keras.Model(inputs, outputs)
    if event.before:
        if [w.shape for w in copy.weights] != [w.shape for w in event.before]:
            raise Left("weights of other shapes")
        copy.set_weights(event.before)

    calls = [given]
    if stateful:
        earlier = []
        for other in event.earlier:
            if other.kind == "reset":
                earlier = []
            else:
                earlier.append([other.given[0].astype("float32")])
        calls = earlier + [given]
    for call in calls:
        found = [np.array(o) for o in tree.flatten(model(call if len(call) > 1 else call[0]))]
    near = max(1e-4, claim.tolerance) if layer.compute_dtype in HALF else 1e-4
    again = found[claim.output][0] if lifted else found[claim.output]
    if not np.allclose(again, event.outputs[claim.output].astype("float32"), atol=near, rtol=near, equal_nan=True):
        raise Left("the outcome of chance")
    return {"layer": kind, "model": architecture(model), "weights": [listed(w) for w in model.get_weights()],
            "calls": [[listed(a) for a in call] for call in calls], "output": claim.output, "row": 0 if lifted else claim.row}


def activation_case(event, claim):
    if event.options or len(event.given) != 1:
        raise Left("arguments of an activation that its name does not say")
    x = event.given[0]
    x = x[None] if x.ndim < 2 else x
    layer = keras.layers.Activation(event.thing)
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, layer(inputs))
    return {"layer": event.thing, "model": architecture(model), "weights": [], "calls": [[listed(x)]],
            "output": 0, "row": 0 if event.given[0].ndim < 2 else None}


# Losses and metrics: vectors, targets and weights, spread as Keras spreads them.

def arguments(event, names):
    found = dict(zip(names, event.given)) | event.options
    return [found.get(name) for name in names]


def vectors(y_true, y_pred, weight, sparse):
    """(count, width), (count, target width), (count) or None."""
    y_true, y_pred = np.asarray(y_true, "float64"), np.asarray(y_pred, "float64")
    if y_pred.ndim == 0:
        raise Left("numbers without a batch")
    if sparse:
        if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
            y_true = y_true[..., 0]
        if y_true.shape != y_pred.shape[:-1]:
            raise Left("a target of another shape than the output")
    else:
        if y_true.ndim == y_pred.ndim - 1 and y_pred.shape[-1] == 1:
            y_pred = y_pred[..., 0]
        if y_true.ndim - 1 == y_pred.ndim and y_true.shape[-1] == 1:
            y_true = y_true[..., 0]
        if y_true.shape != y_pred.shape:
            raise Left("a target of another shape than the output")
    width = y_pred.shape[-1]
    count = y_pred.size // width if width else 0
    if not count:
        raise Left("no numbers at all")
    if weight is not None:
        weight = np.asarray(weight, "float64")
        each = y_pred.shape[:-1]
        if weight.ndim == len(each) + 1 and weight.shape[-1] == 1:
            weight = weight[..., 0]
        while weight.ndim < len(each):
            weight = weight[..., None]
        if weight.ndim > len(each):
            raise Left("a weight for each number")
        weight = listed(np.broadcast_to(weight, each).ravel())
    return listed(y_pred.reshape(count, width)), listed(y_true.reshape(count, -1)), weight


def loss_case(event, claim):
    y_true, y_pred, weight = arguments(event, ("y_true", "y_pred", "sample_weight"))
    if isinstance(y_true, (list, tuple, dict)) and not all(np.isscalar(v) or isinstance(v, list) for v in y_true):
        raise Left("structures of several outputs")
    config = config_of(event.thing)
    if config["config"].get("axis", -1) not in (-1, np.asarray(y_pred).ndim - 1):
        raise Left("another axis than the last")
    p, y, w = vectors(y_true, y_pred, weight, config["class_name"] == "SparseCategoricalCrossentropy")
    return {"loss": config, "y_pred": p, "y_true": y, "weight": w}


def metric_case(event, claim):
    if claim.row is not None:
        raise Left("one number of several")
    config = config_of(event.thing)
    config["config"] = {k: v for k, v in config["config"].items() if k != "dtype"}
    if config["class_name"] == "FBetaScore" and config["config"]["beta"] == 1:
        del config["config"]["beta"]
        config["class_name"] = "F1Score"
    updates = []
    for one in event.earlier + [event]:
        if one.kind == "reset":
            updates = []
            continue
        if config["class_name"] in ("Mean", "Sum", "MeanMetricWrapper"):
            raise Left("a metric of plain numbers")
        y_true, y_pred, weight = arguments(one, ("y_true", "y_pred", "sample_weight"))
        p, y, w = vectors(y_true, y_pred, weight, config["class_name"].startswith("Sparse"))
        updates.append({"y_pred": p, "y_true": y, "weight": w})
    return {"metric": config, "updates": updates}


# Optimizers: the gradients of each step, and the weights before the first.

def optimizer_case(event, claim):
    optimizer = event.thing
    if getattr(optimizer, "_exclude_from_weight_decay", None):
        raise Left("weights that are left out of the decay")
    if claim.row is not None:
        raise Left("one number of several")
    if event.options["overwrites"]:
        raise Left("weights that their gradient replaces")
    if getattr(optimizer, "use_ema", False):
        raise Left("weights before their average replaces them")
    steps = [e for e in event.earlier + [event] if e.kind == "optimizer"]
    order = steps[0].given[1]
    if any(step.given[1] != order for step in steps):
        raise Left("steps over different weights")
    if any(g is None for step in steps for g in step.given[0]):
        raise Left("a weight without a gradient")
    start = [steps[0].before[v] for v in order]
    for step, earlier in zip(steps[1:], steps):
        for number, v in enumerate(order):
            if not np.array_equal(step.before[v], earlier.outputs[number]):
                raise Left("weights that the test changes between steps")
    return {"optimizer": config_of(optimizer), "start": [listed(v) for v in start],
            "gradients": [[listed(g) for g in step.given[0]] for step in steps], "weight": claim.output}


def clip_case(event, claim):
    config = config_of(event.thing)["config"]
    gradients = [np.asarray(g, "float64") for g in event.given[0]]
    kept = {k: config.get(k) for k in ("clipnorm", "global_clipnorm", "clipvalue")}
    return {"optimizer": {"class_name": "SGD", "config": {"learning_rate": 1.0, **kept}}, "negative": True,
            "start": [listed(np.zeros_like(g)) for g in gradients], "gradients": [[listed(g) for g in gradients]],
            "weight": claim.output}


def schedule_case(event, claim):
    step = np.asarray(event.given[0])
    if step.ndim or step != int(step):
        raise Left("steps that are no whole numbers")
    return {"schedule": config_of(event.thing), "step": int(step)}


def penalty_case(event, claim):
    x = np.asarray(event.given[0], "float64")
    if claim.row is not None:
        raise Left("one number of several")
    config = config_of(event.thing)
    if getattr(keras.regularizers, config["class_name"], getattr(
            keras.constraints, config["class_name"], None)) is not type(event.thing):
        raise Left("a class of the test's own making")
    return {event.kind: config, "x": listed(x)}


def reset_case(event, claim):
    raise Left("compares something else than the result of one call")


KINDS = {"layer": layer_case, "activation": activation_case, "loss": loss_case, "metric": metric_case,
         "optimizer": optimizer_case, "clip": clip_case, "schedule": schedule_case, "regularizer": penalty_case,
         "constraint": penalty_case, "reset": reset_case}
