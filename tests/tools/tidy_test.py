"""clang-tidy is asked about a file again when the file, a header of it or the rules changed, or when it had findings."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Finds fault with a file that holds BAD; writes down what it was asked about.
PROGRAM = """#!/bin/sh
[ "$1" = --version ] && exit 0
for last; do :; done
echo "$last" >> "$(dirname "$0")/asked"
! grep BAD "$last"
"""


class Tidy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name).resolve()
        for name, text in {".clang-tidy": "rules", "src/base/a.cpp": '#include "base/a.hpp"\n',
                           "src/base/a.hpp": "#include <sonde/b.hpp>\n", "include/sonde/b.hpp": "int b;\n",
                           "src/base/other.cpp": "int x;\n", "tidy": PROGRAM}.items():
            self.write(name, text)
        (self.tree / "tidy").chmod(0o755)
        (self.tree / "tools").mkdir()
        shutil.copy(ROOT / "tools/tidy.py", self.tree / "tools")
        self.write("build/compile_commands.json", json.dumps(
            [{"file": str(self.tree / "src/base" / n), "command": "clang++ -c"} for n in ("a.cpp", "other.cpp")]))

    def write(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_it(self):
        """Exit code, and the names of the files that were asked about."""
        (self.tree / "asked").unlink(missing_ok=True)
        done = subprocess.run([sys.executable, "-B", "tools/tidy.py", "build", "--program", self.tree / "tidy", "--kept",
                               "kept"], cwd=self.tree, capture_output=True, text=True)
        asked = self.tree / "asked"
        names = asked.read_text().split() if asked.exists() else []
        return done.returncode, sorted(pathlib.Path(n).name for n in names)

    def test_a_file_that_passed_is_not_asked_about_again(self):
        self.assertEqual(self.run_it(), (0, ["a.cpp", "other.cpp"]))
        self.assertEqual(self.run_it(), (0, []))

    def test_a_header_anywhere_below_is_part_of_the_file(self):
        self.run_it()
        self.write("include/sonde/b.hpp", "long b;\n")
        self.assertEqual(self.run_it(), (0, ["a.cpp"]))

    def test_other_rules_ask_about_all_files(self):
        self.run_it()
        self.write(".clang-tidy", "other rules")
        self.assertEqual(self.run_it(), (0, ["a.cpp", "other.cpp"]))

    def test_a_finding_fails_until_it_is_gone(self):
        self.write("src/base/other.cpp", "BAD\n")
        self.assertEqual(self.run_it()[0], 1)
        self.assertEqual(self.run_it(), (1, ["other.cpp"]))
        self.write("src/base/other.cpp", "good\n")
        self.assertEqual(self.run_it(), (0, ["other.cpp"]))


if __name__ == "__main__":
    unittest.main()
