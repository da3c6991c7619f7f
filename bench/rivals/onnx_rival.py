"""ONNX Runtime: inference, whole signals or a step at a time with the states as inputs."""
from problem import RECURRENT, Clock, Unsupported, data

VARIANTS = {"onnxruntime": ["sequential"]}


class Graph:
    """Writes the network node by node; activations lie (steps, batch, width)."""

    def __init__(self, problem, steps):
        import numpy as np
        from onnx import TensorProto, helper, numpy_helper
        self.np, self.helper, self.array = np, helper, numpy_helper.from_array
        self.float = TensorProto.FLOAT
        self.random = np.random.default_rng(2)
        self.nodes, self.weights, self.inputs, self.outputs = [], [], [], []
        self.streams = problem.mode == "stream"
        self.count = 0
        width, value = problem.channels, "x"
        self.inputs.append(helper.make_tensor_value_info("x", self.float, [steps, None, width]))
        for name, *numbers in problem.layers:
            value, width = getattr(self, "recurrent" if name in RECURRENT else name)(
                value, width, name, *numbers)
        self.node("Identity", [value], outputs=["y"])
        self.outputs.insert(0, helper.make_tensor_value_info("y", self.float, None))

    def node(self, kind, inputs, outputs=None, **attributes):
        self.count += 1
        outputs = outputs or [f"v{self.count}"]
        self.nodes.append(self.helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def weight(self, *shape, values=None):
        name = f"w{len(self.weights)}"
        if values is None:
            values = (self.random.standard_normal(shape) * 0.1).astype(self.np.float32)
        self.weights.append(self.array(values, name))
        return name

    def whole(self, *values):
        return self.weight(values=self.np.array(values, self.np.int64))

    def state(self, *shape):
        """An input that a stream carries from step to step: its name, and that of its output."""
        name = f"state{len(self.inputs) - 1}"
        for end, values in (("", self.inputs), ("_next", self.outputs)):
            values.append(self.helper.make_tensor_value_info(name + end, self.float, shape))
        return name, name + "_next"

    def conv(self, x, width, _, filters, taps):
        x = self.node("Transpose", [x], perm=[1, 2, 0])
        left = (taps - 1) // 2
        pads = [left, taps - 1 - left]
        if self.streams:
            before, after = self.state(1, width, taps - 1)
            x = self.node("Concat", [before, x], axis=2)
            self.node("Slice", [x, self.whole(1), self.whole(taps), self.whole(2)], [after])
            pads = [0, 0]
        x = self.node("Conv", [x, self.weight(filters, width, taps), self.weight(filters)], pads=pads)
        return self.node("Transpose", [self.node("Relu", [x])], perm=[2, 0, 1]), filters

    def recurrent(self, x, width, name, units):
        kind = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}[name.removeprefix("bi")]
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind] * units
        ways = 2 if name.startswith("bi") else 1
        inputs = [x, self.weight(ways, gates, width), self.weight(ways, gates, units),
                  self.weight(ways, 2 * gates)]
        outputs = [f"sequence{self.count}"]
        if self.streams:
            if ways == 2:
                raise Unsupported(f"{name} does not stream")
            states = [self.state(1, 1, units) for _ in range(2 if kind == "LSTM" else 1)]
            inputs += ["", *(before for before, _ in states)]
            outputs += [after for _, after in states]
        self.node(kind, inputs, outputs, hidden_size=units,
                  direction="bidirectional" if ways == 2 else "forward",
                  **({"linear_before_reset": 1} if kind == "GRU" else {}))
        x = self.node("Transpose", outputs[:1], perm=[0, 2, 1, 3])
        return self.node("Reshape", [x, self.whole(0, 0, -1)]), units * ways

    def dense(self, x, width, _, units):
        x = self.node("MatMul", [x, self.weight(width, units)])
        return self.node("Sigmoid", [self.node("Add", [x, self.weight(units)])]), units

    def pool(self, x, width, _, size):
        if self.streams:
            raise Unsupported("pool does not stream here")
        x = self.node("Transpose", [x], perm=[1, 2, 0])
        x = self.node("MaxPool", [x], kernel_shape=[size], strides=[size])
        return self.node("Transpose", [x], perm=[2, 0, 1]), width

    def up(self, x, width, _, size):
        if self.streams:
            raise Unsupported("up does not stream here")
        scales = self.weight(values=self.np.array([size, 1, 1], self.np.float32))
        x = self.node("Resize", [x, "", scales], mode="nearest", nearest_mode="floor",
                      coordinate_transformation_mode="asymmetric")
        return x, width

    def bytes(self):
        graph = self.helper.make_graph(self.nodes, "network", self.inputs, self.outputs, self.weights)
        opset = [self.helper.make_opsetid("", 17)]
        return self.helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def run(_, __, problem, warm_up, rounds):
    if problem.mode == "train":
        raise Unsupported("ONNX Runtime infers")
    import numpy as np
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = problem.threads
    options.inter_op_num_threads = 1
    steps = 1 if problem.mode == "stream" else problem.steps
    session = onnxruntime.InferenceSession(Graph(problem, steps).bytes(), options,
                                           providers=["CPUExecutionProvider"])
    x, _ = data(problem)
    signals = np.ascontiguousarray(x.transpose(1, 0, 2))  # once, outside the clock
    names = [each.name for each in session.get_inputs()][1:]
    fresh = {each.name: np.zeros(each.shape, np.float32) for each in session.get_inputs()[1:]}

    def predict():
        for first in range(0, problem.samples, problem.batch):
            session.run(None, {"x": signals[:, first:first + problem.batch]})

    def stream():
        for row in range(problem.samples):
            states = dict(fresh)
            for t in range(problem.steps):
                result = session.run(None, {"x": signals[t:t + 1, row:row + 1], **states})
                states = dict(zip(names, result[1:]))

    clock = Clock()
    for _ in range(warm_up + rounds):
        clock.time(predict if problem.mode == "predict" else stream)
    return clock.result(warm_up, f"onnxruntime {onnxruntime.__version__}")
