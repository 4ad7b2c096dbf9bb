#!/bin/sh
# What `make run` shows: a development agent runs the example job; then its status and its log.
#   run-example.sh FOLDER_OF_THE_BINARIES
set -eu
cd "$1"
bin=$(pwd)
work=$(mktemp -d)
export PATH="$bin:$PATH" no_proxy=127.0.0.1,localhost
agent=""
trap '[ -n "$agent" ] && kill -INT "$agent" 2>/dev/null && wait "$agent" || true; rm -rf "$work"' EXIT
cd "$work"

echo '$ serai agent -dev &'
serai agent -dev >agent.log 2>&1 &
agent=$!
tries=0
until serai node status -quiet 2>/dev/null | grep -q .; do
  tries=$((tries + 1))
  if ! kill -0 "$agent" 2>/dev/null || [ "$tries" -gt 300 ]; then
    cat agent.log
    echo "the agent did not come up" >&2
    exit 1
  fi
  sleep 0.1
done

say() { echo; echo "\$ $*"; "$@"; }
say serai job init -short
say serai job run example.nomad.hcl
say serai job status example
id=$(serai job allocs -t '{{range .}}{{.ID}}{{end}}' example)
say serai alloc status "$id"
say serai alloc logs "$id"
say serai job stop -purge example
