#!/usr/bin/env bash
# Build the collection, and import the artifact as Galaxy would: errors and warnings of the importer fail.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf build/artifact
mkdir -p build/artifact
ansible-galaxy collection build --output-path build/artifact
cd build/artifact
artifact=$(ls ./*.tar.gz)

# Only what the importer unpacks may be seen, not the working tree.
unset ANSIBLE_CONFIG ANSIBLE_COLLECTIONS_PATH
GALAXY_IMPORTER_CONFIG=../../.config/galaxy-importer.cfg python -m galaxy_importer.main "$artifact" | tee import.log
if grep -E '^(WARNING|ERROR|CRITICAL):' import.log; then
  echo "The importer complains about the artifact (lines above)."
  exit 1
fi
