# shellcheck shell=bash
# What the scripts share. Sourced, never run:
#
#   source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
#
# It moves to the repository's root, puts the project's own Node before the system's where there is one, and defines
# how the scripts speak. Progress goes to standard error, so that a script's output stays usable in a pipe.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# Where the bootstrap puts what Debian has only in too old a version.
tools=$root/.tools
[ -x "$tools/bin/node" ] && PATH=$tools/bin:$PATH

# Debian's Chromium is driven; Playwright need not bring browsers of its own.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' plain=''
fi

# say TEXT: a step begins.   note TEXT: a detail of it.   fail TEXT: the end, with the reason and the remedy.
say() { printf '%s\n' "$bold==> $*$plain" >&2; }
note() { printf '%s\n' "    $*" >&2; }
fail() {
  printf '%s\n' "$red${0##*/}: $*$plain" >&2
  exit 1
}

# help: the comment at the head of the calling script is its manual.
help() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"; }

# on_arguments "$@": answers --help, for the scripts that take nothing else that begins with a dash.
wants_help() {
  local argument
  for argument in "$@"; do
    case $argument in -h | --help) return 0 ;; --) return 1 ;; esac
  done
  return 1
}

# exclusively NAME COMMAND...: one at a time in this tree, the others wait; two ninjas in one folder would collide.
exclusively() {
  local name=$1 status=0
  shift
  mkdir -p "$root/build"
  exec 9>"$root/build/.$name.lock"
  if ! flock -n 9; then
    note "waiting for another run that holds build/.$name.lock"
    flock 9
  fi
  "$@" 9>&- || status=$?
  exec 9>&-
  return $status
}

# quietly NAME COMMAND...: output into build/log/NAME.log; shown only when the command fails.
quietly() {
  local log=$root/build/log/$1.log
  shift
  mkdir -p "$root/build/log"
  "$@" >"$log" 2>&1 || {
    local status=$?
    tail -n 40 "$log" >&2
    note "the whole log: ${log#"$root/"}"
    return $status
  }
}
