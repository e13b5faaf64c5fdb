#!/usr/bin/env bash
# What serve tells of its requests: the access log, the slow ones, the page in a browser.
. "$(dirname "$0")/lib.sh"
needs_device

make_model() {
  small_log synth
  quick_model synth model
}

it_logs_a_line_of_json_for_each_request() {
  make_model
  start --access-log access
  local body='{"user": 3, "items": [1, 2, 3]}'
  exec 3<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'POST /v1/score?token=hidden HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX-Request-Id: a"7\r\nAuthorization: Bearer hidden\r\nContent-Length: %d\r\n\r\n%s' \
    ${#body} "$body" >&3
  cat <&3 >response
  exec 3>&-
  ask GET /nowhere ""
  stop TERM
  [ "$(wc -l <access)" = 2 ] || fail "$(cat access)"
  grep -q hidden access && fail "a secret in $(cat access)"
  jq -se 'any(.method == "POST" and .path == "/v1/score" and .status == 200 and .bytes_in == 31 and .bytes_out > 20
    and .id == "a\"7" and (.remote | startswith("127.0.0.1:")) and .total_us >= .kernel_us and .kernel_us > 0)' access >out ||
    fail "$(cat access)"
  jq -se 'any(.path == "/nowhere" and .status == 404)' access >out || fail "$(cat access)"
}

it_logs_to_standard_error() {
  make_model
  start --access-log -
  ask GET /healthz ""
  stop TERM
  grep -q '"path":"/healthz","status":200' log || fail "$(cat log)"
}

it_opens_the_log_anew_on_sighup() {
  make_model
  start --access-log access
  mv access access.1
  kill -HUP $SERVER
  for _ in $(seq 100); do
    [ -e access ] && break
    sleep 0.05
  done
  ask GET /healthz ""
  stop TERM
  grep -q '"path":"/healthz"' access || fail "$(cat access access.1)"
}

it_ends_while_the_reader_of_its_log_is_stuck() {
  make_model
  mkfifo pipe
  exec 4<>pipe
  dd if=/dev/zero of=pipe bs=4096 count=1000 oflag=nonblock 2>dd.err && fail "the pipe is not full"
  start --access-log pipe
  ask GET /healthz ""
  kill -HUP $SERVER
  for _ in $(seq 600); do
    ask GET /metrics ""
    grep -q '^collide_access_log_dropped_total [1-9]' response && break
    sleep 0.05
  done
  grep -q '^collide_access_log_dropped_total [1-9]' response || fail "no line is dropped: $(cat response)"
  stop TERM
  exec 4>&-
}

it_shows_a_model_of_several() {
  make_model
  start --model second=model
  ask GET /metrics ""
  grep -q '^collide_model_loads_total{model="model"} 1$' response || fail "$(cat response)"
  grep -q '^collide_model_loads_total{model="second"} 1$' response || fail "$(cat response)"
  stop TERM
}

it_refuses_a_log_that_cannot_be_written() {
  make_model
  run 1 serve model --listen 127.0.0.1:0 --access-log nowhere/access
  says "cannot append to the access log nowhere/access"
}

it_keeps_slow_requests() {
  make_model
  start --slow-us 1
  ask POST /v1/topk '{"user": 3, "k": 5}'
  ask GET /debug/slow ""
  tail -n +2 response | sed '1,/^$/d' >slow
  jq -e '.slow_us == 1 and (.requests | any(.path == "/v1/topk" and .total_us > 1))' slow >out || fail "$(cat response)"
  stop TERM
}

# browse OPTION... ADDRESS
browse() {
  "$BROWSER" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --hide-scrollbars \
    --user-data-dir="$PWD/profile" --virtual-time-budget=${VIRTUAL_MS:-5000} "$@" 2>browser.err
}

# dump ADDRESS: what the page holds in the end, without its style and script, in the file dom.
dump() {
  browse --dump-dom "$1" | sed '/<style>/,/<\/style>/d; /<script>/,$d' | tr '\n' ' ' >dom
}

# shown ID PATTERN: what the element with this id begins with.
shown() {
  grep -qE "id=\"$1\"[^>]*>$2" dom || fail "no \"$2\" in $1: $(cat dom)"
}

# Screenshots stay beside the program.
it_shows_itself_in_a_browser() {
  BROWSER=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "skipped: no chromium to show the page in"
    exit 77
  }
  make_model
  start
  local i shots asking
  shots=$(dirname "$PROGRAM")/screenshots
  mkdir -p "$shots"
  for i in $(seq 40); do ask POST /v1/score "{\"user\": $i, \"items\": [1, 2, 3, 4, 5, 6, 7, 8]}"; done
  dump "http://127.0.0.1:$PORT/#user=3&items=1,2,999"
  shown state 'ready for'
  shown name 'model'
  shown headline '150 items, 200 users, 41 rows of 16'
  shown p50 '[0-9.]+'
  shown smaller '[0-9.]+ times smaller'
  shown answer-line '3 scores, 1 unknown id'
  run 0 score model --user 3 --items 1
  grep -q "<tr><td class=\"text\">1</td><td>$(printf '%.5g' "$(jq '.scores[0]' out)" | sed s/-/−/)" dom ||
    fail "no score of $(cat out) in $(cat dom)"
  dump "http://127.0.0.1:$PORT/#user=3&k=4"
  shown answer-line '4 scores, 0 unknown ids'
  while ask POST /v1/score "{\"user\": $((RANDOM % 200)), \"items\": [1, 2, 3, 4, 5, 6, 7, 8, $RANDOM]}" background; do :; done &
  asking=$!
  local VIRTUAL_MS=60000
  browse --window-size=1200,2400 --screenshot="$shots/light.png" "http://127.0.0.1:$PORT/#user=3&k=8"
  browse --window-size=1200,2400 --blink-settings=preferredColorScheme=0 --screenshot="$shots/dark.png" \
    "http://127.0.0.1:$PORT/#user=3&items=1,2,3,4,999"
  browse --window-size=360,4200 --screenshot="$shots/phone.png" "http://127.0.0.1:$PORT/#user=3&k=8"
  kill $asking
  for i in light dark phone; do [ -s "$shots/$i.png" ] || fail "no screenshot $i: $(cat browser.err)"; done
  stop TERM
}

run_tests
