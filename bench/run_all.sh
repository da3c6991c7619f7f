#!/usr/bin/env bash
# bench/run_all.sh                      every figure of docs/performance.md, on a machine that does nothing else
# bench/run_all.sh STAGE...             only these stages; bench/run_all.sh --list names them
# bench/run_all.sh --within MINUTES …   ends each stage after so long, with what it has
#
# ONLY="pytorch onednn" names rivals, PROBLEMS another file of problems, ROUNDS, EPOCHS and LIMIT (seconds for one
# run of one rival) how long it takes, NOTE a sentence above the tables. What is measured goes to build/bench/.
set -euo pipefail
cd "$(dirname "$0")/.."

stages=(build kernels sonde rivals report)
minutes=600
if [ "${1:-}" = --within ]; then minutes=$2; shift 2; fi
case "${1:-}" in
  "") chosen=("${stages[@]}") ;;
  --list) printf '%s\n' "${stages[@]}"; exit 0 ;;
  -*) sed -n '2,7s/^# //p' "$0"; exit 2 ;;
  *) chosen=("$@") ;;
esac
problems=${PROBLEMS:-bench/rivals/problems.txt}
out=build/bench
mkdir -p "$out"

# Ends a program when the stage's time is up: that is no failure.
within() { timeout "${minutes}m" "$@" || [ $? = 124 ]; }

stage_build() {
  cmake --preset release -DSONDE_BENCH=ON >/dev/null
  cmake --build --preset release --target sonde sonde_bench
}
# One kernel after the other, on one thread.
stage_kernels() {
  within build/release/sonde_bench --benchmark_out="$out/kernels.json" --benchmark_out_format=json \
    --benchmark_repetitions="${ROUNDS:-3}" --benchmark_report_aggregates_only=true
}
# Sonde by itself on all problems, those included that no rival has.
stage_sonde() {
  within build/release/sonde bench --problems "$problems" --epochs "${EPOCHS:-5}" --json >"$out/sonde.json"
  echo "$out/sonde.json"
}
stage_rivals() {
  local python
  python=$(tools/python_env.sh bench | tail -n 1)
  "$python" bench/rivals/run.py --file "$problems" --within "$minutes" --rounds "${ROUNDS:-3}" \
    --epochs "${EPOCHS:-5}" --limit "${LIMIT:-180}" --out "$out/rivals.json" ${ONLY+--only "${ONLY// /,}"} ||
    [ -e "$out/rivals.json" ]
}
stage_report() { python3 bench/rivals/report.py "$out/rivals.json" ${NOTE:+--note "$NOTE"}; }

for stage in "${chosen[@]}"; do
  printf '%s\n' "${stages[@]}" | grep -qx -- "$stage" ||
    { echo "no such stage: $stage. There are: ${stages[*]}" >&2; exit 2; }
done
for stage in "${chosen[@]}"; do
  echo "== $stage" >&2
  "stage_$stage"
done
