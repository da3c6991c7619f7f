#!/usr/bin/env bash
# tools/arm64_root.sh: fetches Debian's arm64 libraries that the project and its tests are built with into
# ${SONDE_ARM64:-$HOME/.cache/sonde/arm64}, whose path is the last line on stdout. Nothing is installed: the packages of
# packages.txt are unpacked there. Silent and quick when everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."

root=${SONDE_ARM64:-$HOME/.cache/sonde/arm64}
mapfile -t wanted < <(awk '/^\[/ {on = ($1 == "[build]")} on && /^(lib.*-dev|zlib1g-dev|nlohmann-json3-dev)$/ {print $1}' packages.txt)
stamp=$(printf '%s\n' "${wanted[@]}" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$root/.sonde" 2>/dev/null || true)" != "$stamp" ]; then
  echo "Fetching arm64 libraries into $root" >&2
  rm -rf "$root" && mkdir -p "$root"/apt/{lists,cache,state}/partial "$root"/apt/cache/archives/partial
  : >"$root/apt/status"
  apt=(-o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State="$root/apt/state" -o Dir::State::status="$root/apt/status"
       -o Dir::State::lists="$root/apt/lists" -o Dir::Cache="$root/apt/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User=root
       -o APT::Install-Recommends=0 -qq)
  apt-get "${apt[@]}" update >&2
  apt-get "${apt[@]}" -y --download-only install libc6-dev libstdc++-12-dev "${wanted[@]}" >&2
  for package in "$root"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
  rm -rf "$root/apt"
  # Links to absolute paths would leave the folder.
  find "$root" -type l -lname '/*' | while read -r link; do
    target=$(readlink "$link")
    ln -sfn "$(realpath -m --relative-to="$(dirname "$link")" "$root$target")" "$link"
  done
  echo "$stamp" >"$root/.sonde"
fi
echo "$root"
