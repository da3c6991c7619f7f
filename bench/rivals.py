#!/usr/bin/env python3
"""Times one training epoch of the same network in Sonde, PyTorch and Keras (JAX, TensorFlow, PyTorch), in turns.

    PYTHON=$(tools/python_env.sh bench)
    $PYTHON bench/rivals.py --sonde "build/release/sonde bench --json --threads {threads}"

X (476, 400, 16) -> Conv1D(32, 8, same, relu) -> LSTM(32, return_sequences) -> Dense(1, sigmoid), binary
cross-entropy, Adam(1e-3), batches of 32, shuffled, float32. The command of --sonde must print a JSON object with
"epoch_seconds": a list, warm-up left out. README.md beside this file says how the figures are to be read.
"""
import argparse
import json
import os
import pathlib
import platform
import resource
import shlex
import statistics
import subprocess
import sys
import time

ROWS, TIME, CHANNELS, FILTERS, TAPS, UNITS, BATCH = 476, 400, 16, 32, 8, 32, 32

# Every rival's settings that could be the best; the first round tries all, the others go on with the fastest.
VARIANTS = {
    "pytorch": ["onednn", "no onednn"],
    "keras-jax": ["jit auto", "jit auto, 15 steps a call"],
    "keras-tensorflow": ["jit auto", "jit on", "jit off", "jit off, 15 steps a call"],
    "keras-torch": ["jit auto"],
}


# ---- one rival in a process of its own -------------------------------------------------------------------

def make_data():
    import numpy as np
    random = np.random.default_rng(1)
    x = random.standard_normal((ROWS, TIME, CHANNELS)).astype(np.float32)
    return x, (random.random((ROWS, TIME, 1)) < 0.3).astype(np.float32)


class EpochClock:
    """Seconds of each epoch by the wall and by the processors."""

    def __init__(self):
        self.wall, self.cpu = [], []

    def start(self):
        self.began = time.perf_counter(), time.process_time()

    def stop(self):
        self.wall.append(time.perf_counter() - self.began[0])
        self.cpu.append(time.process_time() - self.began[1])

    def result(self, warm_up):
        return {"epoch_seconds": self.wall[warm_up:], "cpu_seconds": self.cpu[warm_up:]}


def time_pytorch(variant, threads, warm_up, epochs):
    import torch
    from torch import nn
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("highest")  # float32 as all the others; lower would be bfloat16
    torch.backends.mkldnn.enabled = variant == "onednn"

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(CHANNELS, FILTERS, TAPS)
            self.lstm = nn.LSTM(FILTERS, UNITS, batch_first=True)
            self.dense = nn.Linear(UNITS, 1)

        def forward(self, x):  # (batch, channels, time), which is what nn.Conv1d wants
            left = (TAPS - 1) // 2
            x = torch.relu(self.conv(nn.functional.pad(x, (left, TAPS - 1 - left))))
            return self.dense(self.lstm(x.transpose(1, 2))[0])

    x, y = (torch.from_numpy(a) for a in make_data())
    x = x.transpose(1, 2).contiguous()  # once, outside the clock
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7, fused=True)
    loss_of = nn.BCEWithLogitsLoss()
    clock = EpochClock()
    for _ in range(warm_up + epochs):
        total = 0.0
        clock.start()
        for rows in torch.randperm(ROWS).split(BATCH):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(network(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        clock.stop()
    return clock.result(warm_up), total / ROWS, f"torch {torch.__version__}"


def time_keras(backend, variant, threads, warm_up, epochs):
    os.environ["KERAS_BACKEND"] = backend
    if backend == "tensorflow":
        import tensorflow
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
        version = tensorflow.__version__
    elif backend == "torch":
        import torch
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        version = torch.__version__
    else:
        import jax
        version = jax.__version__
    import keras

    clock = EpochClock()

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            clock.start()

        def on_epoch_end(self, epoch, logs=None):
            self.loss = float(logs["loss"])  # waits for whatever still runs
            clock.stop()

    model = keras.Sequential([
        keras.Input((TIME, CHANNELS)), keras.layers.Conv1D(FILTERS, TAPS, padding="same", activation="relu"),
        keras.layers.LSTM(UNITS, return_sequences=True), keras.layers.Dense(1, activation="sigmoid")])
    jit = "auto" if "jit auto" in variant else "jit on" in variant
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="binary_crossentropy", jit_compile=jit,
                  steps_per_execution=15 if "15 steps" in variant else 1)
    x, y = make_data()
    watch = Watch()
    model.fit(x, y, batch_size=BATCH, epochs=warm_up + epochs, shuffle=True, verbose=0, callbacks=[watch])
    return clock.result(warm_up), watch.loss, f"keras {keras.__version__}, {backend} {version}"


def work(options):
    name, variant = options.worker, options.variant
    settings = (variant, options.threads, options.warm_up, options.epochs)
    if name == "pytorch":
        times, loss, version = time_pytorch(*settings)
    else:
        times, loss, version = time_keras(name.removeprefix("keras-"), *settings)
    print(json.dumps(times | {"loss": loss, "version": version}))


# ---- all in turns ----------------------------------------------------------------------------------------

def busy_seconds():
    """Seconds that all cores together were busy with anything but our own finished children."""
    user, nice, system, _, _, *rest = map(int, pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (user + nice + system + sum(rest[:3])) / os.sysconf("SC_CLK_TCK") - ours.ru_utime - ours.ru_stime


def run(command, threads):
    """Runs a command on `threads` cores; the last line of its output that is a JSON object, or what went wrong."""
    count = str(threads)
    environment = os.environ | {
        "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "TF_NUM_INTRAOP_THREADS": count,
        "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    cores = sorted(os.sched_getaffinity(0))[:threads]
    busy, start = busy_seconds(), time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, cores))
    # How many cores other programs kept busy meanwhile: figures are worth something only near 0.
    others = (busy_seconds() - busy) / (time.monotonic() - start)
    # The whole output may be one indented object; else it is the last line.
    for text in (done.stdout, done.stdout.strip().rsplit("\n", 1)[-1]):
        try:
            result = json.loads(text)
            if done.returncode == 0 and result.get("epoch_seconds"):
                return result | {"others_busy": round(max(0.0, others), 2)}
        except (ValueError, AttributeError):
            pass
    return {"error": (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}")[-800:]}


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def table(rows, about):
    base = next((r for r in rows if r["program"] == "sonde"), rows[0])
    lines = [f"One training epoch, {about['threads']} thread(s) of {about['cpu']}, {about['system']}, "
             f"{about['rounds']} rounds; times against {base['program']}.", "",
             "| program | version | settings | median s | fastest s | slowest s | CPU s | times |",
             "|---|---|---|---:|---:|---:|---:|---:|"]
    for r in sorted(rows, key=lambda r: r["median"]):
        cpu = "" if r["cpu"] is None else f"{r['cpu']:.3f}"
        lines.append(f"| {r['program']} | {r['version']} | {r['settings']} | {r['median']:.3f} | {r['fastest']:.3f} "
                     f"| {r['slowest']:.3f} | {cpu} | {r['median'] / base['median']:.2f} |")
    if (others := max(r["others_busy"] for r in rows)) > 0.1:
        lines += ["", f"Not to be trusted: other programs kept up to {others:.1f} cores busy meanwhile."]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sonde", "--sonde-command", metavar="COMMAND",
                        help='its own program; "{threads}" and "{epochs}" in it are filled in')
    parser.add_argument("--only", default=",".join(VARIANTS), help="rivals, comma separated (%(default)s)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5, help="timed epochs of each round")
    parser.add_argument("--warm-up", type=int, default=2, help="epochs before, not counted")
    parser.add_argument("--out", type=pathlib.Path, help="JSON file with everything that was measured")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options)
        return 0
    rivals = [name for name in options.only.split(",") if name]
    if unknown := set(rivals) - VARIANTS.keys():
        parser.error(f"no such rival: {', '.join(sorted(unknown))}. There are {', '.join(VARIANTS)}")

    runs, best = [], {}
    if options.sonde:
        rivals.insert(0, "sonde")
    for turn in range(options.rounds):
        for name in rivals:
            if turn and name not in best:
                continue  # failed in the first round
            variants = [best[name]] if turn else VARIANTS.get(name, [""])
            for variant in variants:
                if name == "sonde":
                    command = shlex.split(options.sonde.replace("{threads}", str(options.threads))
                                          .replace("{epochs}", str(options.epochs)))
                else:
                    command = [sys.executable, __file__, "--worker", name, "--variant", variant]
                    for key in ("threads", "warm_up", "epochs"):
                        command += ["--" + key.replace("_", "-"), str(getattr(options, key))]
                result = run(command, options.threads)
                runs.append({"round": turn, "program": name, "settings": variant} | result)
                said = (result["error"].splitlines()[-1] if "error" in result
                        else f"{statistics.median(result['epoch_seconds']):.3f} s an epoch")
                print(f"round {turn + 1}: {name} {variant}: {said}", file=sys.stderr, flush=True)
            if not turn:
                worked = [r for r in runs if r["program"] == name and "error" not in r]
                if worked:
                    best[name] = min(worked, key=lambda r: statistics.median(r["epoch_seconds"]))["settings"]

    rows = []
    for name, variant in best.items():
        mine = [r for r in runs if r["program"] == name and r["settings"] == variant and "error" not in r]
        seconds = [s for r in mine for s in r["epoch_seconds"]]
        processor = [s for r in mine for s in r.get("cpu_seconds", [])]
        rows.append({"program": name, "settings": variant, "version": mine[0].get("version", ""),
                     "median": statistics.median(seconds), "fastest": min(seconds), "slowest": max(seconds),
                     "cpu": statistics.median(processor) if processor else None,
                     "others_busy": max(r["others_busy"] for r in mine)})
    about = {"cpu": cpu_name(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}",
             "python": platform.python_version(), "threads": options.threads, "rounds": options.rounds,
             "epochs": options.epochs, "warm_up": options.warm_up}
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps({"about": about, "results": rows, "runs": runs}, indent=1) + "\n")
    if rows:
        print(table(rows, about))
    return 0 if len(best) == len(rivals) else 1


if __name__ == "__main__":
    sys.exit(main())
