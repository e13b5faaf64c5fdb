#!/usr/bin/env bash
# Makes a program's manual pages and its bash completion from its own help: man/*.1.gz and completions/NAME below OUT. What help cannot
# know (examples, files) comes from docs/man. The same program gives the same bytes.
# Usage: make_pages.sh PROGRAM OUT
set -euo pipefail
program=$1 out=$2
here=$(dirname "$(realpath "$0")")
name=$(basename "$program")
mkdir -p "$out/man" "$out/completions"

pages=$("$program" --help=pages)
see_also() {
  local separator='' page
  echo '.SH "SEE ALSO"'
  for page in $(cut -d ' ' -f 1 <<<"$pages" | if [ "$1" = "$name" ]; then grep -vx "$name"; else echo "$name"; fi); do
    printf '%s.BR %s (1)' "$separator" "${page//-/\\-}"
    separator=$' ,\n'
  done
  echo
}
while read -r page command; do
  {
    # shellcheck disable=SC2086 # the command may be several words
    "$program" $command --help=man
    if [ -e "$here/../docs/man/$page.man" ]; then cat "$here/../docs/man/$page.man"; fi
    see_also "$page"
  } | gzip -9n >"$out/man/$page.1.gz"
done <<<"$pages"

function=_${name//-/_}
while IFS= read -r line; do
  if [ "$line" = @ARMS@ ]; then
    "$program" --help=words
  else
    line=${line//@PROGRAM@/$name}
    printf '%s\n' "${line//@FUNCTION@/$function}"
  fi
done <"$here/completion.bash.in" >"$out/completions/$name"
