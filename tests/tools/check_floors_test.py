"""The floor checker is only worth its run if it fails: each rule, broken once in a small tree."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class CheckFloors(unittest.TestCase):
    def setUp(self):
        self.tree = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.tree)
        self.write("src/floors.txt", (ROOT / "src/floors.txt").read_text())
        self.write("include/sonde/shape.hpp", "#include <vector>\n")
        self.write("include/sonde/model.hpp", "#include <sonde/shape.hpp>\n")

    def write(self, path, text):
        path = self.tree / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def complaints(self):
        done = subprocess.run([sys.executable, "-B", ROOT / "tools/check_floors.py", self.tree],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1 if done.stdout else 0, done.stderr)
        return done.stdout

    def refuses(self, path, text, *words):
        self.write(path, text)
        complaint = self.complaints()
        for word in (path + ":", *words):
            self.assertIn(word, complaint)
        self.assertEqual(complaint.count("\n"), 1)

    def test_passes_what_looks_down(self):
        self.write("src/base/arena.hpp", "#include <sonde/shape.hpp>\n#include <fmt/format.h>\n")
        self.write("src/plan/place.cpp", '#include "base/arena.hpp"\n#include <sched.h>\n')
        self.write("src/plan/run.cpp", "#include <base/arena.hpp>\n#include <sys/stat.h>\n")
        self.write("src/cli/main.cpp", '#include "train.hpp"\n#include <sonde/model.hpp>\n')
        self.write("src/cli/train.hpp", "#include <CLI/CLI.hpp>\n")
        self.write("src/kernels/kernels.hpp", "#include <sonde/shape.hpp>\n")
        self.write("src/kernels/level.cpp", '#include "kernels/reference/lstm.hpp"\n')
        self.write("src/kernels/reference/lstm.hpp", '#include <cmath>\n#include "kernels/kernels.hpp"\n')
        self.write("examples/first.cpp", '#include <sonde/model.hpp>\n#include "signals.hpp"\n')
        self.write("examples/signals.hpp", "#include <vector>\n")
        self.assertEqual(self.complaints(), "")

    def test_refuses_to_look_up_and_names_file_and_line(self):
        self.refuses("src/base/arena.cpp", '#include <vector>\n#include "plan/plan.hpp"\n',
                     "arena.cpp:2:", "base (floor 0) may not look up to plan (floor 4)")

    def test_refuses_to_look_up_with_angle_brackets(self):
        self.refuses("src/kernels/level.cpp", "#include <graph/graph.hpp>\n", "look up to graph")

    def test_refuses_to_look_up_through_a_relative_path(self):
        self.write("src/model/fit.hpp", "")
        self.refuses("src/base/arena.cpp", '#include "../model/fit.hpp"\n', "look up to model")

    def test_refuses_to_look_up_through_a_public_header(self):
        self.refuses("src/graph/graph.cpp", "#include <sonde/model.hpp>\n", "look up to model")

    def test_refuses_a_public_header_that_looks_up(self):
        self.refuses("include/sonde/array.hpp", "#include <sonde/model.hpp>\n", "look up to model")

    def test_refuses_a_public_header_that_shows_a_library(self):
        self.refuses("include/sonde/array.hpp", "#include <fmt/format.h>\n", "standard library")

    def test_refuses_a_public_header_that_shows_a_source(self):
        self.refuses("include/sonde/array.hpp", '#include "base/arena.hpp"\n', "standard library")

    def test_refuses_a_public_header_without_a_floor(self):
        self.refuses("include/sonde/surprise.hpp", "", "lists 'surprise' as public")

    def test_refuses_a_folder_without_a_floor(self):
        self.refuses("src/attic/old.cpp", "#include <vector>\n", "on no floor")

    def test_keeps_layers_and_plan_apart(self):
        self.write("include/sonde/layers/lstm.hpp", "")
        self.refuses("src/plan/fuse.cpp", "#include <sonde/layers/lstm.hpp>\n",
                     "plan and layers never see each other")

    def test_keeps_layers_from_plan(self):
        self.refuses("src/layers/lstm.cpp", '#include "plan/plan.hpp"\n', "look up to plan")

    def test_keeps_data_on_base_alone(self):
        self.refuses("src/data/split.cpp", '#include "kernels/kernels.hpp"\n', "only itself and base")

    def test_lets_training_see_data_and_not_the_reverse(self):
        self.write("src/training/fit.cpp", '#include "data/split.hpp"\n')
        self.refuses("src/data/split.cpp", '#include "training/fit.hpp"\n', "only itself and base")

    def test_keeps_the_reference_readable_by_itself(self):
        self.refuses("src/kernels/reference/lstm.hpp", "#include <vector>\n", "<cmath>")

    def test_keeps_the_reference_from_base(self):
        self.refuses("src/kernels/reference/lstm.hpp", '#include "base/arena.hpp"\n', "kernels/kernels.hpp")

    def test_keeps_the_command_line_on_public_headers(self):
        self.refuses("src/cli/train.cpp", '#include "model/fit.hpp"\n', "only itself and public")

    def test_keeps_file_libraries_out_of_the_core(self):
        self.refuses("src/model/save.cpp", "#include <zip.h>\n", "may not use this library")

    def test_keeps_vector_code_in_the_kernels(self):
        self.refuses("src/layers/lstm.cpp", "#include <hwy/highway.h>\n", "may not use this library")

    def test_refuses_a_library_that_nobody_named(self):
        self.refuses("src/formats/zip.cpp", "#include <boost/any.hpp>\n", "names no such library")

    def test_keeps_neighbours_apart(self):
        self.refuses("src/report/html.cpp", '#include "formats/zip.hpp"\n', "its neighbour formats")

    def test_keeps_examples_on_public_headers(self):
        self.refuses("examples/first.cpp", '#include "plan/plan.hpp"\n', "an example includes only")


class FloorsFile(unittest.TestCase):
    def test_an_unknown_word_is_an_error(self):
        with tempfile.TemporaryDirectory() as tree:
            (pathlib.Path(tree) / "src").mkdir()
            (pathlib.Path(tree) / "src/floors.txt").write_text("0 base\n    onyl base\n")
            done = subprocess.run([sys.executable, "-B", ROOT / "tools/check_floors.py", tree],
                                  capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("floors.txt:2:", done.stderr)


if __name__ == "__main__":
    unittest.main()
