#!/bin/sh
# find_secrets.sh WORDS: fails when a line of the file WORDS stands in a process list, a log, a journal, a plan or a container's
# description.
set -eu
seen=$(mktemp)
trap 'rm -f "$seen" "$seen.found"' EXIT
{
  for file in /proc/[0-9]*/cmdline; do tr '\0' ' ' < "$file" 2>/dev/null || true; echo; done
  for container in $(docker ps --all --quiet); do docker inspect "$container"; docker logs "$container" 2>&1; done
  journalctl --no-pager --quiet
  cat /etc/gpufleet/plans/*.json /etc/systemd/system/gpufleet-*.service
} > "$seen"
grep --quiet gpufleet-ray "$seen"
if grep --text --fixed-strings --file="$1" "$seen" | cut -c1-80; then :; fi > "$seen.found"
if [ -s "$seen.found" ]; then
  echo "$(wc -l < "$seen.found") lines hold a secret; they begin:" >&2
  cut -c1-40 "$seen.found" >&2
  exit 1
fi
