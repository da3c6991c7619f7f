"""PyTorch, eager or compiled: one epoch of training, inference, or a step at a time."""
from problem import RECURRENT, Clock, Unsupported, data

VARIANTS = {
    "pytorch": ["onednn", "no onednn"],
    "pytorch-compile": ["inductor"],
    "pytorch-bf16": ["onednn, autocast"],
}


def network_of(torch, problem):
    nn = torch.nn
    kinds = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}

    class Network(nn.Module):
        """(batch, steps, channels) in and out; a last sigmoid is left to the loss."""

        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList()
            width = problem.channels
            for name, *numbers in problem.layers:
                if name == "conv":
                    self.parts.append(nn.Conv1d(width, *numbers))
                elif name == "dense":
                    self.parts.append(nn.Linear(width, *numbers))
                elif name in RECURRENT:
                    both = name.startswith("bi")
                    self.parts.append(kinds[name.removeprefix("bi")](
                        width, *numbers, batch_first=True, bidirectional=both))
                    numbers = [numbers[0] * (2 if both else 1)]
                else:
                    self.parts.append(nn.Identity())
                    numbers = [width]
                width = numbers[0]

        def forward(self, x):
            for i, ((name, *numbers), part) in enumerate(zip(problem.layers, self.parts)):
                if name == "conv":
                    left = (numbers[1] - 1) // 2
                    padded = nn.functional.pad(x.transpose(1, 2), (left, numbers[1] - 1 - left))
                    x = torch.relu(part(padded)).transpose(1, 2)
                elif name == "pool":
                    x = nn.functional.max_pool1d(x.transpose(1, 2), *numbers).transpose(1, 2)
                elif name == "up":
                    x = x.repeat_interleave(*numbers, dim=1)
                elif name == "dense":
                    x = part(x) if i + 1 == len(self.parts) else torch.sigmoid(part(x))
                else:
                    x = part(x)[0]
            return x

    return Network()


def walk(torch, network, problem):
    """What labels one step after the other: windows and states are kept between calls."""
    for name, *_ in problem.layers:
        if name not in ("conv", "lstm", "gru", "rnn", "dense"):
            raise Unsupported(f"{name} does not stream here")
    kept = [None] * len(problem.layers)

    def step(x):  # (1, 1, channels)
        for i, ((name, *numbers), part) in enumerate(zip(problem.layers, network.parts)):
            if name == "conv":
                if kept[i] is None:
                    kept[i] = torch.zeros(1, x.shape[2], numbers[1])
                kept[i] = torch.cat((kept[i][:, :, 1:], x.transpose(1, 2)), 2)
                x = torch.relu(part(kept[i])).transpose(1, 2)
            elif name == "dense":
                x = torch.sigmoid(part(x))
            else:
                x, kept[i] = part(x, kept[i])
        return x

    return step


def train(torch, network, forward, problem, x, y):
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7, fused=True)
    loss_of = torch.nn.BCEWithLogitsLoss() if problem.ends_in_dense else torch.nn.MSELoss()

    def epoch():
        for rows in torch.randperm(problem.samples).split(problem.batch):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(forward(x[rows]).float(), y[rows])
            loss.backward()
            optimizer.step()
            loss.item()

    return epoch


def run(name, variant, problem, warm_up, rounds):
    import torch
    torch.set_num_threads(problem.threads)
    torch.set_num_interop_threads(1)
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("highest")  # float32 as all the others; lower is bfloat16
    torch.backends.mkldnn.enabled = variant != "no onednn"
    network = network_of(torch, problem)
    forward = torch.compile(network) if name == "pytorch-compile" else network
    x, y = (torch.from_numpy(each) for each in data(problem))
    clock = Clock()

    if problem.mode == "train":
        job = train(torch, network, forward, problem, x, y)
    elif problem.mode == "predict":
        def job():
            for rows in x.split(problem.batch):
                torch.sigmoid(forward(rows)) if problem.ends_in_dense else forward(rows)
    else:
        if name != "pytorch":
            raise Unsupported("single steps are timed in eager float32 only")
        step = walk(torch, network, problem)

        def job():
            for signal in x:
                for t in range(problem.steps):
                    step(signal[None, t:t + 1])

    with torch.autocast("cpu", torch.bfloat16, enabled=name == "pytorch-bf16"):
        with torch.set_grad_enabled(problem.mode == "train"):
            for _ in range(warm_up + rounds):
                clock.time(job)
    return clock.result(warm_up, f"torch {torch.__version__}")
