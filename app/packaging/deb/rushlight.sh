#!/bin/sh
# Owns the command `rushlight`: the program in its window, or `rushlight ask "question"` in the terminal.
# Found from where it lies itself, so that an unpacked package runs before it is installed.
here=$(readlink -f -- "$0")
home=${here%/usr/bin/rushlight}/opt/rushlight
# what a developer has set for other programs must not load code into this one
unset NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS
program=headless.js
if [ "${1-}" = ask ]; then
  shift
  program=ask-cli.js
fi
exec "$home/runtime/node" "$home/out/app/$program" "$@"
