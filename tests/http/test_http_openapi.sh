#!/usr/bin/env bash
# What /openapi.json says, against the server that says it: every example gets the status that is documented for it.
. "$(dirname "$0")/../cli/lib.sh"
needs_device
DOCS=$(realpath "$(dirname "$0")/../../docs")

serve_model() {
  small_log synth
  quick_model synth model
  start
  curl -sS --fail-with-body "http://127.0.0.1:$PORT/openapi.json" >document || fail "$(cat document)"
}

# Each operation's path, with the examples of its parameters in it.
paths='def path($p; $o): reduce ($o.parameters // [] | .[] | select(.in == "path")) as $x
  ($p; gsub("\\{" + $x.name + "\\}"; $x.example));'

it_is_openapi_whose_references_lead_somewhere() {
  serve_model
  [ "$(jq -r .openapi document)" = 3.1.0 ] || fail "not OpenAPI 3.1"
  jq -r '. as $d | [.. | objects | ."$ref"? // empty] | unique[] | select(ltrimstr("#/") | split("/") as $p
    | $d | getpath($p) == null)' document >lost
  [ ! -s lost ] || fail "these references lead nowhere: $(cat lost)"
  jq -r '.paths[][] | select((.summary and .responses["200"]) | not)' document >bare
  [ ! -s bare ] || fail "operations without a summary or an answer: $(cat bare)"
  jq -r "$paths"' .paths | to_entries[] | .key as $p | .value[] | path($p; .)' document | grep '[{}]' >open
  [ ! -s open ] || fail "parameters without an example: $(cat open)"
  stop TERM
}

it_is_what_the_docs_list() {
  serve_model
  jq -r '.paths | to_entries[] | .key as $p | .value | keys[] | "`\(ascii_upcase) \($p)`"' document | sort >told
  grep -o '^| `[A-Z]* /[^`]*`' "$DOCS/HTTP.md" | cut -c 3- | sort -u >listed
  diff told listed || fail "openapi.json (<) and docs/HTTP.md (>) differ"
  stop TERM
}

it_gets_every_path_that_it_tells_of() {
  serve_model
  local path status
  jq -r "$paths"' .paths | to_entries[] | .key as $p | .value.get // empty | path($p; .)' document >list
  while read -r path; do
    status=$(curl -sS -o answer -w '%{http_code}' "http://127.0.0.1:$PORT$path")
    [ "$status" = 200 ] || fail "GET $path: $status $(cat answer)"
  done <list
  stop TERM
}

it_answers_every_example_as_documented() {
  serve_model
  local path name wanted body status
  jq -r "$paths"' .paths | to_entries[] | .key as $p | .value.post // empty | path($p; .) as $path
    | .responses as $r | .requestBody.content["application/json"].examples | to_entries[]
    | .value["x-status"] as $status | if $r[$status | tostring] then . else error("\($p): it has no \($status)") end
    | [$path, .key, ($status | tostring), (.value.value | tojson)] | join("\t")' document >list || fail "see above"
  while IFS=$'\t' read -r path name wanted body; do
    status=$(curl -sS -o answer -w '%{http_code}' --json "$body" "http://127.0.0.1:$PORT$path")
    [ "$status" = "$wanted" ] || fail "POST $path, example $name: $status instead of $wanted: $(cat answer)"
  done <list
  stop TERM
}

run_tests
