#!/usr/bin/env bash
# Make .venv from the hashed pins given as arguments, and link the collection path to this repository.
set -euo pipefail
cd "$(dirname "$0")/.."

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local name
  for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if new_enough "$name"; then echo "$name"; return; fi
  done
  echo "Python 3.11 or newer is needed, python3 here is $(python3 --version 2>&1 || true)." >&2
  echo "Remedy: install it (Debian 12, Ubuntu 24.04: apt-get install python3; Ubuntu 22.04: apt-get install python3.11" >&2
  echo "python3.11-venv), or name another one: make setup PYTHON=/path/to/python3.12" >&2
  return 1
}

# Debian and Ubuntu ship the standard library's venv in a package of its own, named after the version.
complete_python() {
  local python=$1 package sudo=
  if "$python" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
  package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
  if [ "$(id -u)" != 0 ]; then sudo=sudo; fi
  if ! command -v apt-get >/dev/null || ! command -v ${sudo:-apt-get} >/dev/null; then
    echo "$python has no venv module. Remedy: install the package $package (or what your distribution calls it)." >&2
    return 1
  fi
  echo "$python has no venv module: installing $package"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "$package"
}

requirements=()
for file in "$@"; do requirements+=(-r "$file"); done

if ! new_enough .venv/bin/python || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
  python=$(find_python)
  complete_python "$python"
  echo "making .venv with $("$python" --version)"
  "$python" -m venv --clear .venv
fi
echo "installing ${*} (about a minute)"
.venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes "${requirements[@]}"

mkdir -p .cache/collections/ansible_collections/gpufleet
ln -sfn "$PWD" .cache/collections/ansible_collections/gpufleet/inference
