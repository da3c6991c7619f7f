"""oneDNN's LSTM primitive by itself, through onednn.cpp: the layer alone, and what Adam takes beside it."""
import json
import os
import pathlib
import subprocess
import sys

from problem import Unsupported

VARIANTS = {"onednn": ["f32"], "onednn-bf16": ["bf16"]}
HERE = pathlib.Path(__file__).resolve().parent


def program():
    """Compiles onednn.cpp against the library in $SONDE_DNNL, or in Python's environment."""
    prefix = pathlib.Path(os.environ.get("SONDE_DNNL", sys.prefix))
    if not (prefix / "include/oneapi/dnnl/dnnl.hpp").exists():
        raise Unsupported(f"no oneDNN in {prefix}; SONDE_DNNL may name another folder")
    built = HERE.parents[1] / "build/rivals" / f"onednn-{prefix.name}"
    source = HERE / "onednn.cpp"
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        built.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["g++", "-std=c++20", "-O3", "-march=native", source, "-o", built, f"-I{prefix}/include",
                        f"-L{prefix}/lib", f"-Wl,-rpath,{prefix}/lib", "-ldnnl", "-fopenmp"],
                       check=True)
    return built


def run(_, variant, problem, warm_up, rounds):
    if problem.mode == "stream" or len(problem.layers) != 1 or problem.layers[0][0] != "lstm":
        raise Unsupported("oneDNN runs a single LSTM, trained or over whole signals")
    if problem.samples % problem.batch != 0:
        raise Unsupported("all batches must be of one size: make samples a multiple of batch")
    numbers = (problem.layers[0][1], problem.channels, problem.steps, problem.batch,
               problem.samples // problem.batch, warm_up + rounds)
    done = subprocess.run([program(), *map(str, numbers), problem.mode, variant],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Unsupported(done.stderr.strip())
    result = json.loads(done.stdout)
    return result | {key: result[key][warm_up:] for key in ("seconds", "update_seconds")}
