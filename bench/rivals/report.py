#!/usr/bin/env python3
"""Writes what run.py measured into docs/performance.md, between its markers, and a plot beside it.

    bench/rivals/report.py rivals.json [--page docs/performance.md] [--note TEXT]
"""
import argparse
import json
import math
import pathlib
from xml.sax.saxutils import escape

BEGIN, END = "<!-- figures: written by bench/rivals/report.py -->", "<!-- end of figures -->"
COLOURS = {"sonde": "#1b6ca8", "pytorch": "#e4572e", "onednn": "#7a9e3f", "onnxruntime": "#8b5fbf",
           "keras": "#e0a030"}


def bytes_text(count):
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def time_text(seconds):
    for scale, unit in ((1, "s"), (1e-3, "ms")):
        if seconds >= scale:
            break
    return f"{seconds / scale:.3g} {unit}"


def sonde_of(problem):
    return next((r for r in problem["results"] if r["program"] == "sonde"), None)


def own_table(problems):
    lines = ["| problem | a round | samples/s | GFLOP/s | peak, GFLOP/s | share | weights | arena |",
             "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for problem in problems:
        if not (ours := sonde_of(problem)):
            continue
        f = ours["figures"]
        step = f", {f['step_nanoseconds']:.0f} ns a step" if "step_nanoseconds" in f else ""
        lines.append(
            f"| {problem['problem']} | {time_text(ours['median'])}{step} "
            f"| {f['samples'] / ours['median']:.4g} | {f['flop'] / ours['median'] / 1e9:.4g} "
            f"| {f['peak_gflops']:.4g} | {f['flop'] / ours['median'] / f['peak_gflops'] / 1e7:.0f} % "
            f"| {bytes_text(f['bytes']['weights'])} | {bytes_text(f['bytes']['arena'])} |")
    return lines


def rival_table(problem):
    lines = ["| program | settings | median | fastest | slowest | CPU | against Sonde |",
             "|---|---|---:|---:|---:|---:|---:|"]
    for r in sorted(problem["results"], key=lambda r: r["median"]):
        cpu = time_text(r["cpu"]) if r["cpu"] else ""
        times = "" if r["times"] is None else f"{r['times']:.2f}"
        if r["times"] is not None and r["program"] != "sonde":
            times += " ({:.2f} – {:.2f})".format(*r["times_range"])
        lines.append(f"| {r['version']} | {r['settings']} | {time_text(r['median'])} "
                     f"| {time_text(r['fastest'])} | {time_text(r['slowest'])} | {cpu} | {times} |")
    return lines


def named(program):
    """What a table's version does not say."""
    return program["version"] + (" bf16" if program["program"].endswith("bf16") else "") + (
        " compiled" if program["program"].endswith("compile") else "")


def text(measured, note, plot):
    about = measured["about"]
    kernels = next((o["kernels"] for p in measured["problems"] if (o := sonde_of(p))), "none")
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    others = max((r["others_busy"] for p in measured["problems"] for r in p["results"]), default=0)
    lines = [f"{about['processor']}, {about['cores']} cores, {about['system']}; Sonde's kernels: "
             f"{kernels}; {versions}. {about['rounds']} rounds in turns, each of {about['epochs']} "
             f"epochs after {about['warm_up']} that are not counted.", ""]
    if note:
        lines += [note, ""]
    if others > 0.1:
        lines += [f"**Not to be trusted**: other programs kept up to {others:.1f} cores busy "
                  "meanwhile.", ""]
    lines += [f"![Times against Sonde]({plot})", "", "### Sonde by itself", ""]
    lines += own_table(measured["problems"])
    for problem in measured["problems"]:
        if len(problem["results"]) < 2:
            continue
        for result in problem["results"]:
            result["version"] = named(result)
        lines += ["", f"### {problem['problem']}", "", *rival_table(problem)]
    return "\n".join(lines)


def colour(program):
    return next((c for name, c in COLOURS.items() if program.startswith(name)), "#777777")


def svg(measured):
    """A bar for each rival of each problem: its time against Sonde's, on a logarithmic scale."""
    left, right, bar, gap, top = 210, 60, 15, 30, 28
    problems = [(p["problem"], [r for r in p["results"] if r["times"]])
                for p in measured["problems"]]
    problems = [(line, results) for line, results in problems if len(results) > 1]
    ratios = [r["times"] for _, results in problems for r in results]
    low = math.floor(math.log2(min(ratios, default=1)))
    high = max(low + 1, math.ceil(math.log2(max(ratios, default=2))))
    width = 620

    def x(times):
        return left + (math.log2(times) - low) / (high - low) * width

    parts, y = [], top
    for line, results in problems:
        parts.append(f'<text x="8" y="{y + 14}" class="problem">{escape(line)}</text>')
        y += 22
        for r in sorted(results, key=lambda r: r["median"]):
            begin, end = sorted((x(1), x(r["times"])))
            parts.append(
                f'<text x="{left - 8}" y="{y + 12}" class="program">{escape(r["program"])}</text>'
                f'<rect x="{begin:.1f}" y="{y + 2}" width="{max(end - begin, 2):.1f}" '
                f'height="{bar - 3}" fill="{colour(r["program"])}"/>'
                f'<text x="{end + 5:.1f}" y="{y + 12}">{r["times"]:.2f}</text>')
            y += bar
        y += gap - bar
    lines = "".join(
        f'<line x1="{x(2 ** i):.1f}" y1="{top - 4}" x2="{x(2 ** i):.1f}" y2="{y}" '
        f'class="{"one" if i == 0 else "grid"}"/>'
        f'<text x="{x(2 ** i):.1f}" y="{top - 10}" text-anchor="middle">{2.0 ** i:g}</text>'
        for i in range(low, high + 1))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + right} {y + 10}" '
            f'font-family="Helvetica, Arial, sans-serif" font-size="11">\n<style>'
            ".problem{font-weight:bold}.program{text-anchor:end}.grid{stroke:#dddddd}"
            ".one{stroke:#888888}</style>\n"
            '<rect width="100%" height="100%" fill="white"/>\n'
            f'<text x="8" y="{top - 10}">time against Sonde</text>\n{lines}\n'
            + "\n".join(parts) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=pathlib.Path)
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--page", type=pathlib.Path, default=root / "docs/performance.md")
    parser.add_argument("--note", help="a sentence that stands above the tables")
    options = parser.parse_args()
    measured = json.loads(options.measured.read_text())
    page = options.page.read_text()
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        parser.error(f'{options.page}: expected the lines "{BEGIN}" and "{END}" once each')
    plot = options.page.with_suffix(".svg")
    plot.write_text(svg(measured))
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    figures = text(measured, options.note, plot.name)
    options.page.write_text(f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}")


if __name__ == "__main__":
    main()
