"""Two types of one name are found where a linker would mix them up, and only there."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class CheckNames(unittest.TestCase):
    def setUp(self):
        self.tree = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.tree)

    def complaints(self, **sources):
        (self.tree / "src").mkdir(exist_ok=True)
        for name, text in sources.items():
            (self.tree / "src" / f"{name}.hpp").write_text(text)
        done = subprocess.run([sys.executable, "-B", ROOT / "tools/check_names.py", self.tree],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1 if done.stdout else 0, done.stderr)
        return done.stdout

    def test_names_both_files(self):
        said = self.complaints(a="namespace sonde {\nstruct Fold {\n};\n}  // namespace sonde\n",
                               b="namespace sonde {\nclass Fold final : public Base {\n};\n}  // namespace sonde\n")
        self.assertEqual(said, "sonde::Fold is defined in src/a.hpp and in src/b.hpp: "
                               "give one of them another name or namespace.\n")

    def test_passes_other_and_unnamed_namespaces(self):
        self.assertEqual(self.complaints(
            a="namespace sonde {\nstruct Fold {\n};\n}  // namespace sonde\n",
            b="namespace sonde::cli {\nstruct Fold {\n};\n}  // namespace sonde::cli\n",
            c="namespace sonde {\nnamespace {\nstruct Fold {\n};\n}  // namespace\n}  // namespace sonde\n"), "")

    def test_passes_this_project(self):
        done = subprocess.run([ROOT / "tools/check_names.py"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main()
