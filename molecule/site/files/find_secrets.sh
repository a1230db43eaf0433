#!/bin/sh
# Fails when one of the words in $SECRETS stands in a process list, a log, a journal or a container's description.
# It is a script because the words must not stand on a command line themselves: grep reads them from a file.
set -eu
words=$(mktemp)
trap 'rm -f "$words" "$words.seen"' EXIT
printf '%s\n' $SECRETS > "$words"
{
  for file in /proc/[0-9]*/cmdline; do tr '\0' ' ' < "$file" 2>/dev/null || true; echo; done
  for container in $(docker ps --all --quiet); do docker inspect "$container"; docker logs "$container" 2>&1; done
  journalctl --no-pager --quiet
  cat /etc/gpufleet/plans/*.json /etc/systemd/system/gpufleet-*.service
  find /var/log/nginx -type f -exec cat {} + 2>/dev/null || true
} > "$words.seen"
test -s "$words.seen"
if grep --count --fixed-strings --file="$words" "$words.seen"; then
  echo "a secret was found" >&2
  exit 1
fi
