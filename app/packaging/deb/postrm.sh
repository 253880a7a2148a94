#!/bin/sh
# Owns what is left after removal: `apt remove` keeps the machine's policy, `apt purge` deletes it. Users' own data is never touched.
set -e
if [ "$1" = purge ]; then rm -rf -- "${DPKG_ROOT-}/etc/rushlight"; fi
