"""Programs in processes of their own, on so many cores and within a limit; what machine it is."""
import importlib.metadata
import json
import os
import pathlib
import platform
import resource
import signal
import subprocess
import time


def busy_seconds():
    """Seconds that all cores together were busy with anything but our own finished children."""
    line = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0]
    user, nice, system, _, _, *rest = map(int, line.split()[1:])
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ((user + nice + system + sum(rest[:3])) / os.sysconf("SC_CLK_TCK")
            - ours.ru_utime - ours.ru_stime)


def run(command, threads, limit):
    """Runs a command on `threads` cores for `limit` seconds at most; the JSON object that it
    prints last, or what went wrong."""
    count = str(threads)
    environment = os.environ | {
        "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "TF_NUM_INTRAOP_THREADS": count,
        "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    cores = sorted(os.sched_getaffinity(0))[:threads]
    busy, start = busy_seconds(), time.monotonic()
    # A session of its own: a limit must end what the command started, too.
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, start_new_session=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, cores)) as process:
        try:
            out, err = process.communicate(timeout=limit)
        except BaseException as end:  # the limit, or somebody stops us
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(end, subprocess.TimeoutExpired):
                return {"error": f"not done after {limit:.0f} s"}
            raise
    # How many cores other programs kept busy meanwhile: figures are worth something only near 0.
    others = (busy_seconds() - busy) / (time.monotonic() - start)
    try:
        result = json.loads(out.strip().rsplit("\n", 1)[-1])
        if process.returncode == 0:
            return result | {"others_busy": round(max(0.0, others), 2)}
    except ValueError:
        pass
    return {"error": (err.strip() or out.strip() or f"exit code {process.returncode}")[-800:]}


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def versions():
    """Of what is installed beside this Python."""
    found = {"python": platform.python_version()}
    for name in ("keras", "jax", "jaxlib", "tensorflow-cpu", "torch", "onnxruntime",
                 "onednn-cpu-gomp", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def about():
    return {"processor": processor(), "cores": len(os.sched_getaffinity(0)),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "versions": versions()}
