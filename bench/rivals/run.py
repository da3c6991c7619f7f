#!/usr/bin/env python3
"""Times Sonde and its rivals on the same problems, in turns.

    PYTHON=$(tools/python_env.sh bench | tail -n1)
    $PYTHON bench/rivals/run.py --out rivals.json                     # all of problems.txt
    $PYTHON bench/rivals/run.py "conv-lstm threads=1" --only pytorch  # one problem, one rival

Each rival runs in a process of its own, bound to as many cores as the problem has threads, once in
each round; warm-up and compiling are not counted. The first round tries all settings of a rival,
the later ones only the fastest. ../README.md says how the figures are to be read.
"""
import argparse
import json
import pathlib
import signal
import statistics
import sys
import time

import keras_rival
import machine
import onednn_rival
import onnx_rival
import problem
import torch_rival

HERE = pathlib.Path(__file__).resolve().parent
RIVALS = {name: (module, variants)
          for module in (torch_rival, onednn_rival, onnx_rival, keras_rival)
          for name, variants in module.VARIANTS.items()}


def work(options):
    """One rival, one problem: what `run` starts."""
    module, _ = RIVALS[options.worker]
    try:
        result = module.run(options.worker, options.variant, problem.read(options.problems[0]),
                            options.warm_up, options.epochs)
    except problem.Unsupported as reason:
        result = {"unsupported": str(reason)}
    print(json.dumps(result))


def sonde(options, line, threads, limit):
    command = [options.sonde, "bench", line, "--json", "--epochs", str(options.epochs)]
    result = machine.run(command, threads, limit)
    if "error" in result:
        return result
    figures = result["problems"][0]
    return {"seconds": figures.pop("rounds"), "version": f"sonde {result['machine']['version']}",
            "kernels": result["machine"]["kernels"], "figures": figures,
            "others_busy": result["others_busy"]}


def rival(options, name, variant, line, threads, limit):
    command = [sys.executable, str(HERE / "run.py"), line, "--worker", name, "--variant", variant,
               "--warm-up", str(options.warm_up), "--epochs", str(options.epochs)]
    return machine.run(command, threads, limit)


def median(result):
    return statistics.median(result["seconds"])


def said(result):
    if "seconds" in result:
        return f"{median(result):.4g} s"
    return result.get("unsupported") or result["error"].splitlines()[-1]


def compare(options, line, deadline):
    """All rounds of one problem: the runs, and a row for each program that got through."""
    threads = thread_count(line)
    runs, best = [], {}
    for turn in range(options.rounds):
        for name in ["sonde", *options.only]:
            if turn and name not in best:
                continue  # failed in the first round
            variants = [best[name]] if turn else [""] if name == "sonde" else RIVALS[name][1]
            for variant in variants:
                limit = min(options.limit, deadline - time.monotonic())
                if limit < 5:
                    continue
                result = (sonde(options, line, threads, limit) if name == "sonde"
                          else rival(options, name, variant, line, threads, limit))
                runs.append({"round": turn, "program": name, "settings": variant} | result)
                print(f"{line}, round {turn + 1}: {name} {variant}: {said(result)}",
                      file=sys.stderr, flush=True)
            worked = [r for r in runs if r["program"] == name and "seconds" in r]
            if not turn and worked:
                best[name] = min(worked, key=median)["settings"]
    rows = [row(runs, name, settings) for name, settings in best.items()]
    return {"problem": line, "threads": threads, "results": rows, "runs": runs}


def thread_count(line):
    """As the line says, for networks too that only Sonde has."""
    words = [word for word in line.split() if word.startswith(("threads=", "mode="))]
    read = problem.read(" ".join(["dense1", *words]))
    return 1 if read.mode == "stream" else read.threads


def row(runs, name, settings):
    """All rounds of one program together; `times`: its median round by round against Sonde's;
    `times_updating`: of one that tells its updates of weights apart, with them."""
    mine = [r for r in runs if (r["program"], r["settings"]) == (name, settings) and "seconds" in r]
    ours = {r["round"]: median(r) for r in runs if r["program"] == "sonde" and "seconds" in r}
    seconds = [s for r in mine for s in r["seconds"]]
    processor = [s for r in mine for s in r.get("cpu_seconds", [])]
    times = [median(r) / ours[r["round"]] for r in mine if r["round"] in ours]
    result = {"program": name, "settings": settings, "version": mine[0]["version"],
              "median": statistics.median(seconds), "fastest": min(seconds),
              "slowest": max(seconds), "times": statistics.median(times) if times else None,
              "times_range": [min(times), max(times)] if times else None,
              "cpu": statistics.median(processor) if processor else None,
              "others_busy": max(r["others_busy"] for r in mine)}
    updates = {r["round"]: statistics.median(r.get("update_seconds") or [0]) for r in mine}
    if any(updates.values()) and times:
        result["times_updating"] = statistics.median(
            (median(r) + updates[r["round"]]) / ours[r["round"]] for r in mine if r["round"] in ours)
    if name == "sonde":  # the figures that belong to the median round
        result["figures"] = sorted(mine, key=median)[len(mine) // 2]["figures"]
        result["kernels"] = mine[0]["kernels"]
    return result


def lines_of(path):
    """The problems of a file, as Sonde reads it."""
    lines = (" ".join(line.split("#", 1)[0].split()) for line in path.read_text().splitlines())
    return [line for line in lines if line]


def options_of():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", help="as sonde bench takes them; else those of --file")
    parser.add_argument("--file", type=pathlib.Path, default=HERE / "problems.txt")
    parser.add_argument("--sonde", default="build/release/sonde", help="its program (%(default)s)")
    parser.add_argument("--only", default=",".join(RIVALS), help="rivals (%(default)s); \"\": none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5, help="timed epochs of each round")
    parser.add_argument("--warm-up", type=int, default=2, help="epochs before, not counted")
    parser.add_argument("--limit", type=float, default=180, help="seconds for each run (%(default)s)")
    parser.add_argument("--within", type=float, default=1e6, help="minutes for all of it")
    parser.add_argument("--out", type=pathlib.Path, help="JSON file with everything measured")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return options
    options.only = [name for name in options.only.split(",") if name]
    if unknown := set(options.only) - RIVALS.keys():
        parser.error(f"no such rival: {', '.join(sorted(unknown))}. There are {', '.join(RIVALS)}")
    options.problems = options.problems or lines_of(options.file)
    return options


def main():
    options = options_of()
    if options.worker:
        return work(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # not before its rival has ended
    deadline = time.monotonic() + 60 * options.within
    about = machine.about() | {key: getattr(options, key) for key in ("rounds", "epochs", "warm_up")}
    compared = []
    for line in options.problems:
        if deadline - time.monotonic() < 5:
            print(f"{line}: not begun, the time is up", file=sys.stderr)
            continue
        compared.append(compare(options, line, deadline))
        if options.out:  # after each problem, for what is cut off
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps({"about": about, "problems": compared}, indent=1) + "\n")
    for each in compared:
        print(f"\n{each['problem']}")
        for found in sorted(each["results"], key=lambda r: r["median"]):
            times = f"{found['times']:7.2f} x" if found["times"] else ""
            print(f"  {found['median']:9.4g} s {times}  {found['program']} {found['settings']}")
    return 0 if len(compared) == len(options.problems) else 1


if __name__ == "__main__":
    sys.exit(main())
