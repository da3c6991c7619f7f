"""The rivals' scripts, without the rivals: a Sonde that only says it, and the page they write."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RIVALS = ROOT / "bench/rivals"
sys.path.insert(0, str(RIVALS))

import problem  # noqa: E402
import report  # noqa: E402
import run  # noqa: E402
import sweep  # noqa: E402

SAYS = """#!/bin/sh
echo '{"machine": {"version": "9", "kernels": "AVX2"}, "problems": [{"rounds": [0.2, 0.1, 0.4],
 "samples": 10, "flop": 2e9, "peak_gflops": 40, "bytes": {"weights": 4000, "arena": 2500000}}]}' | tr -d '\\n'
"""


class Problems(unittest.TestCase):
    def test_are_read_as_sonde_reads_them(self):
        read = problem.read("conv32x8 pool4 bilstm16 up4 dense3 input=40,2 batch=8 samples=24 threads=2 mode=predict")
        self.assertEqual(read.layers, [("conv", 32, 8), ("pool", 4), ("bilstm", 16), ("up", 4), ("dense", 3)])
        self.assertEqual((read.steps, read.channels, read.batch, read.samples), (40, 2, 8, 24))
        self.assertEqual((read.threads, read.mode), (2, "predict"))
        self.assertEqual(read.output_shape(), (40, 3))
        self.assertTrue(read.ends_in_dense)
        self.assertEqual(problem.read("pool4 bilstm16 input=40,2").output_shape(), (10, 32))

    def test_have_the_defaults_of_the_program(self):
        read = problem.read("gru5")
        self.assertEqual((read.steps, read.channels, read.batch, read.samples), (400, 16, 32, 476))
        self.assertEqual((read.mode, read.precision), ("train", "f32"))
        self.assertEqual(problem.read("gru5 precision=bf16").precision, "bf16")

    def test_of_names_are_their_layers(self):
        self.assertEqual(problem.read("conv-lstm").layers, [("conv", 32, 8), ("lstm", 32), ("dense", 1)])
        with self.assertRaisesRegex(problem.Unsupported, "no rival has the network spatial-conv-lstm"):
            problem.read("spatial-conv-lstm")

    def test_of_the_list_are_all_read(self):
        lines = run.lines_of(RIVALS / "problems.txt")
        self.assertGreater(len(lines), 10)
        for line in lines:
            problem.read(line)

    def test_stream_on_one_thread(self):
        self.assertEqual(run.thread_count("spatial-conv-lstm threads=2"), 2)
        self.assertEqual(run.thread_count("conv-lstm threads=2 mode=stream"), 1)


class Sweep(unittest.TestCase):
    def test_leaves_out_what_takes_a_rival_too_long(self):
        lines = sweep.lines()
        self.assertIn("lstm32 input=2000,32 batch=128 samples=128 threads=1 mode=train", lines)
        self.assertNotIn("lstm1024 input=2000,128 batch=128 samples=128 threads=2 mode=train", lines)
        for line in lines:
            problem.read(line)

    def test_has_a_row_for_each_size_and_a_dash_for_what_was_not_measured(self):
        results = [{"program": "sonde", "times": 1.0}, {"program": "onednn", "times": 1.234}]
        also = [{"program": "onednn", "times": 0.9, "times_updating": 1.06}]
        measured = {"problems": [{"problem": sweep.line(2, 64, 8, 400), "results": results},
                                 {"problem": sweep.line(2, 64, 8, 2000), "results": also}]}
        self.assertIn("| 64 | – · – · – | – · 1.23 · 0.90 (1.06) | – · – · – |", sweep.table(measured, 2))
        self.assertNotIn("1.23", sweep.table(measured, 1))


class Rows(unittest.TestCase):
    def test_compare_round_by_round(self):
        def one(turn, program, *seconds):
            return {"round": turn, "program": program, "settings": "", "seconds": seconds,
                    "version": "1", "others_busy": 0, "figures": {"round": turn}, "kernels": "AVX2"}
        runs = [one(0, "sonde", 1, 1, 1), one(0, "slow", 2, 2, 9), one(1, "sonde", 4, 4, 4), one(1, "slow", 12, 12, 12),
                one(2, "sonde", 2, 2, 2), one(2, "slow", 10, 10, 10)]
        row = run.row(runs, "slow", "")
        self.assertEqual((row["median"], row["fastest"], row["slowest"]), (10, 2, 12))
        self.assertEqual((row["times"], row["times_range"]), (3, [2, 5]))  # of 2, 3 and 5
        self.assertEqual(run.row(runs, "sonde", "")["figures"], {"round": 2})

    def test_tell_apart_what_updates_of_weights_take(self):
        def one(program, seconds, **more):
            return {"round": 0, "program": program, "settings": "", "seconds": seconds, "version": "1",
                    "others_busy": 0, "figures": {}, "kernels": "AVX2"} | more
        runs = [one("sonde", [2]), one("bare", [1, 3], update_seconds=[1, 1]), one("whole", [2], update_seconds=[])]
        self.assertEqual(run.row(runs, "bare", "")["times"], 1)
        self.assertEqual(run.row(runs, "bare", "")["times_updating"], 1.5)
        self.assertNotIn("times_updating", run.row(runs, "whole", ""))


class Runs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def sonde(self, text):
        path = self.folder / "sonde"
        path.write_text(text)
        path.chmod(0o755)
        return path

    def run_rivals(self, sonde, *words):
        return subprocess.run([sys.executable, "-B", RIVALS / "run.py", "--sonde", sonde, "--only", "",
                               "--out", self.folder / "all.json", *words], capture_output=True, text=True)

    def test_are_kept_with_what_was_counted(self):
        done = self.run_rivals(self.sonde(SAYS), "conv-lstm threads=1", "--rounds", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        kept = json.loads((self.folder / "all.json").read_text())
        self.assertEqual(kept["about"]["rounds"], 2)
        only, = kept["problems"][0]["results"]
        self.assertEqual((only["program"], only["median"], only["times"]), ("sonde", 0.2, 1))
        self.assertEqual(len(kept["problems"][0]["runs"]), 2)

    def test_end_at_their_limit(self):
        begun = time.monotonic()
        self.run_rivals(self.sonde("#!/bin/sh\nsleep 60\n"), "conv-lstm threads=1", "--limit", "6")
        self.assertLess(time.monotonic() - begun, 30)
        kept = json.loads((self.folder / "all.json").read_text())["problems"][0]
        self.assertEqual(kept["results"], [])
        self.assertEqual(kept["runs"][0]["error"], "not done after 6 s")

    def test_end_with_what_started_them(self):
        sonde = self.sonde(f"#!/bin/sh\necho $$ > {self.folder}/pid\nexec sleep 60\n")
        started = subprocess.Popen([sys.executable, "-B", RIVALS / "run.py", "--sonde", sonde, "--only", "",
                                    "conv-lstm threads=1"], stderr=subprocess.DEVNULL)
        pid = self.folder / "pid"
        while not (pid.exists() and pid.read_text().strip()):
            time.sleep(0.05)
        started.terminate()
        self.assertEqual(started.wait(timeout=30), 143)
        with self.assertRaises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)

    def test_of_unknown_rivals_are_refused(self):
        done = self.run_rivals("sonde", "--only", "theano")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no such rival: theano. There are pytorch, ", done.stderr)


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def result(self, program, median, times, **more):
        return {"program": program, "settings": "", "version": program + " 1", "median": median, "fastest": median,
                "slowest": median, "cpu": None, "times": times, "times_range": [times, times],
                "others_busy": 0} | more

    def measured(self, **more):
        figures = {"samples": 10, "flop": 2e9, "peak_gflops": 40, "bytes": {"weights": 4000, "arena": 2500000}}
        about = {"processor": "A <fast> one", "cores": 2, "system": "Linux", "rounds": 3, "epochs": 5,
                 "warm_up": 2, "versions": {"torch": "2"}}
        results = [self.result("sonde", 0.1, 1.0, figures=figures, kernels="AVX2") | more,
                   self.result("onednn-bf16", 0.25, 2.5)]
        return {"about": about, "problems": [{"problem": "lstm64 threads=1", "results": results}]}

    def write(self, measured):
        (self.folder / "all.json").write_text(json.dumps(measured))
        page = self.folder / "page.md"
        if not page.exists():
            page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
        subprocess.run([sys.executable, "-B", RIVALS / "report.py", self.folder / "all.json", "--page", page],
                       check=True)
        return page.read_text()

    def test_stands_between_its_marks_and_is_written_again(self):
        page = self.write(self.measured())
        self.assertTrue(page.startswith("before\n") and page.endswith("\nafter\n"))
        self.assertNotIn("old", page)
        self.assertEqual(self.write(self.measured()), page)

    def test_says_what_was_measured(self):
        page = self.write(self.measured())
        # 2 GFLOP in 0.1 s are 20 GFLOP/s, half of the peak.
        self.assertIn("| lstm64 threads=1 | 100 ms | 100 | 20 | 40 | 50 % | 4.0 kB | 2.5 MB |", page)
        self.assertIn("| onednn-bf16 1 bf16 |  | 250 ms | 250 ms | 250 ms |  | 2.50 (2.50 – 2.50) |", page)
        self.assertNotIn("Not to be trusted", page)

    def test_warns_of_other_programs(self):
        self.assertIn("other programs kept up to 0.7 cores busy", self.write(self.measured(others_busy=0.7)))

    def test_has_a_plot_that_is_well_formed(self):
        import xml.etree.ElementTree as tree
        self.write(self.measured())
        plot = tree.parse(self.folder / "page.svg").getroot()
        texts = [each.text for each in plot.iter("{http://www.w3.org/2000/svg}text")]
        for text in ("lstm64 threads=1", "sonde", "onednn-bf16", "2.50"):
            self.assertIn(text, texts)


if __name__ == "__main__":
    unittest.main()
