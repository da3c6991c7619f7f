#!/usr/bin/env bash
# tools/python_env.sh [golden|formats|round_trip|bench]: makes the Python environment of the golden cases (real Keras on
# JAX), of the judges of the readers (wfdb, EDFlib, MNE, SciPy), of the round trip (Keras on TensorFlow as well), or of
# the benchmarks (PyTorch, ONNX Runtime and oneDNN as well). It lies outside the tree, in ${SONDE_VENV:-$HOME/.cache/sonde/venv},
# and the last line on stdout is its Python. Silent and quick when everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."

part=${1:-golden}
case $part in
  golden) files=(tests/golden/requirements.txt) ;;
  formats) files=(tests/golden/requirements-formats.txt) ;;
  round_trip) files=(tests/golden/requirements.txt tests/round_trip/requirements.txt) ;;
  bench) files=(tests/golden/requirements.txt tests/round_trip/requirements.txt bench/requirements.txt bench/requirements-nodeps.txt) ;;
  *) echo "usage: tools/python_env.sh [golden|formats|round_trip|bench]" >&2; exit 2 ;;
esac

venv=${SONDE_VENV:-$HOME/.cache/sonde/venv}
python=$venv/bin/python
mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock 9

wanted=$(cat "${files[@]}" | sha256sum | cut -d' ' -f1)
stamp=$venv/.sonde-$part
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ] || ! "$python" -c '' 2>/dev/null; then
  say() { echo "$@" >&2; }
  "$python" -c 'import pip' 2>/dev/null || { say "Making $venv"; python3 -m venv --clear "$venv"; }
  stamp_also() { cat "${@:2}" | sha256sum | cut -d' ' -f1 >"$venv/.sonde-$1"; }
  install() { "$python" -m pip install --quiet --disable-pip-version-check "$@" >&2; }
  if [ "$part" = golden ]; then
    say "Installing Keras and JAX"
    install -r tests/golden/requirements.txt
  elif [ "$part" = formats ]; then
    say "Installing the judges of the readers"
    install -r tests/golden/requirements-formats.txt
  elif [ "$part" = round_trip ]; then
    say "Installing Keras, JAX and TensorFlow (about 300 MB to fetch)"
    install -r tests/round_trip/requirements.txt
    stamp_also golden tests/golden/requirements.txt
  else
    say "Installing Keras, JAX and TensorFlow (about 300 MB to fetch)"
    install -r bench/requirements.txt
    say "Installing PyTorch (about 1 GB to fetch)"
    install --no-deps -r bench/requirements-nodeps.txt
    if ! "$python" -c 'import torch' 2>/dev/null; then
      say "PyTorch wants all of CUDA here (about 3 GB to fetch)"
      install "$(grep '^torch==' bench/requirements-nodeps.txt)"
    fi
    stamp_also golden tests/golden/requirements.txt
    stamp_also round_trip tests/golden/requirements.txt tests/round_trip/requirements.txt
  fi
  echo "$wanted" >"$stamp"
fi
echo "$python"
