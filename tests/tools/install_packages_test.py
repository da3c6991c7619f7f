"""The installer, with stand-ins for the system's commands: nothing is installed by this test."""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class InstallPackages(unittest.TestCase):
    def run_with(self, commands, *parts):
        """Runs it where only coreutils and these commands {name: shell text} exist."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for name in ("bash", "dirname", "awk", "sort", "comm", "mktemp", "rm", "tail", "env"):
                os.symlink(subprocess.check_output(["which", name], text=True).strip(), folder / name)
            for name, text in commands.items():
                (folder / name).write_text(f"#!{folder}/bash\n{text}\n")
                (folder / name).chmod(0o755)
            return subprocess.run([folder / "bash", ROOT / "tools/install_packages.sh", *parts],
                                  capture_output=True, text=True, env={"PATH": str(folder)})

    def test_says_nothing_when_nothing_is_missing(self):
        done = self.run_with({
            "dpkg-query": 'shift 2; for p; do echo "installed $p"; done',
            "apt-get": "echo touched >&2; exit 1",
        }, "build", "check")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_a_removed_package_is_missing(self):
        done = self.run_with({
            "dpkg-query": 'shift 2; for p; do [ $p = cmake ] && echo "config-files $p" || echo "installed $p"; done',
            "apt-get": "exit 1", "id": "echo 1000",
        }, "build")
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get install cmake\n", done.stderr)

    def test_without_root_and_sudo_it_says_what_to_do(self):
        done = self.run_with({"dpkg-query": "exit 1", "apt-get": "exit 1", "id": "echo 1000"}, "build")
        self.assertEqual(done.returncode, 1)
        self.assertIn("neither root nor sudo", done.stderr)
        self.assertIn("libhwy-dev", done.stderr)
        self.assertNotIn("clang-tidy", done.stderr)

    def test_uses_sudo_where_it_is_not_root(self):
        done = self.run_with({
            "dpkg-query": "exit 1", "apt-get": "exit 1", "id": "echo 1000", "sudo": 'echo "$@" >&2; exit 0',
        }, "build")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_shows_why_apt_failed(self):
        done = self.run_with({
            "dpkg-query": "exit 1", "apt-get": "echo no such luck; exit 100", "id": "echo 0",
        }, "build")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no such luck", done.stderr)

    def test_elsewhere_than_on_debian_it_lets_the_build_try(self):
        done = self.run_with({}, "build")
        self.assertEqual(done.returncode, 0)
        self.assertIn("not Debian", done.stderr)

    def test_an_unknown_part_is_an_error(self):
        done = self.run_with({}, "biuld")
        self.assertEqual(done.returncode, 2)
        self.assertIn("[biuld]", done.stderr)


if __name__ == "__main__":
    unittest.main()
