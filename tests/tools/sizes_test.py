"""A file that outgrew the limit fails the checks; one at the limit does not."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def measure(lines, name="src/base/long.cpp"):
    with tempfile.TemporaryDirectory() as tree:
        path = pathlib.Path(tree) / name
        path.parent.mkdir(parents=True)
        path.write_text("int x;\n" * lines)
        return subprocess.run([sys.executable, "-B", ROOT / "tools/sizes.py", tree],
                              capture_output=True, text=True)


class Sizes(unittest.TestCase):
    def test_a_file_at_the_limit_passes(self):
        done = measure(500)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("src/base", done.stdout)

    def test_a_file_above_the_limit_fails_and_is_named(self):
        done = measure(501)
        self.assertEqual(done.returncode, 1)
        self.assertIn("src/base/long.cpp: 501 lines, more than 500", done.stdout)

    def test_what_was_built_does_not_count(self):
        self.assertEqual(measure(9999, "build/release/generated.cpp").returncode, 0)


if __name__ == "__main__":
    unittest.main()
