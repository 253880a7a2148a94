#!/bin/sh
# Owns what happens before the files go or are replaced: running programs of this package end in order, which saves what they hold.
set -e
node=${DPKG_ROOT-}/opt/rushlight/runtime/node
running() {
  for link in /proc/[0-9]*/exe; do
    if [ "$(readlink "$link" 2>/dev/null || true)" = "$node" ]; then
      process=${link#/proc/}
      echo "${process%/exe}"
    fi
  done
}
case "$1" in
  remove | upgrade | deconfigure)
    for process in $(running); do kill -TERM "$process" 2>/dev/null || true; done
    tries=0
    while [ -n "$(running)" ] && [ "$tries" -lt 10 ]; do
      sleep 1
      tries=$((tries + 1))
    done
    for process in $(running); do kill -KILL "$process" 2>/dev/null || true; done
    ;;
esac
