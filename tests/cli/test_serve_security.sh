#!/usr/bin/env bash
# serve: where it listens, whom it lets in, what it gives up.
. "$(dirname "$0")/lib.sh"
needs_device

READER_KEY=reader-key-0123456789abcdef
ADMIN_KEY=admin-key-0123456789abcdef
BODY='{"user": 3, "items": [1, 2, 3]}'

# Learned once for all tests.
make_model() {
  if [ ! -f ../model ]; then
    small_log ../synth
    quick_model ../synth ../model
  fi
  cp ../model model
}

write_keys() {
  printf '%s\n' "$@" >keys
  chmod 600 keys
}

# make_certificate SERIAL: cert.pem and key.pem, for localhost.
make_certificate() {
  printf '%s\n' 'cn = localhost' 'dns_name = localhost' "serial = $1" 'expiration_days = 1' ca signing_key >template
  certtool --generate-privkey --key-type ecdsa --outfile key.pem 2>/dev/null || fail "no key"
  chmod 600 key.pem
  certtool --generate-self-signed --load-privkey key.pem --template template --outfile cert.pem 2>/dev/null || fail "no certificate"
}

# answers STATUS CURL_ARGUMENT...: the status is as wanted. Headers and body are in the file response.
answers() {
  local wanted=$1 status
  shift
  status=$(curl -s -i -o response -w '%{http_code}' -H 'Content-Type: application/json' "$@")
  [ "$status" = "$wanted" ] || fail "curl $*: $status, not $wanted: $(cat response log)"
}

response_has() {
  grep -q -- "$1" response || fail "expected \"$1\" in: $(cat response)"
}

# launch [OPTION...]: serves ./model; sets SERVER and URL.
launch() {
  : >log
  "$PROGRAM" serve model --threads 1 --max-queue-us $PATIENCE_US "$@" >/dev/null 2>log &
  SERVER=$!
  await "^ready on"
  URL=$(sed -n 's|^ready on \(.*\) with .*|\1|p' log)
}

it_listens_at_a_path() {
  make_model
  launch --listen "unix:$PWD/http.sock"
  [ "$(stat -c %a http.sock)" = 660 ] || fail "$(stat http.sock)"
  [ "$URL" = "unix:$PWD/http.sock" ] || fail "$URL"
  answers 200 --unix-socket http.sock http://here/v1/score -d "$BODY"
  run 0 client score --server "$URL" --user 3 --items 1,2,3
  stop TERM
  [ ! -e http.sock ] || fail "it is still there"
}

it_asks_for_keys() {
  make_model
  write_keys "reader:$READER_KEY" "ops:$ADMIN_KEY:admin"
  launch --listen 127.0.0.1:0 --api-keys keys --access-log access
  answers 401 "$URL/v1/score" -d "$BODY"
  response_has '^WWW-Authenticate: Bearer'
  response_has '"code":"unauthorized"'
  run 1 client score --server "$URL" --user 3 --items 1,2,3
  says "answers 401: no key, or one that is not known"
  echo "$READER_KEY" >reader
  run 1 client score --server "$URL" --key reader --user 3 --items 1,2,3
  says "reader holds a secret, but its mode is 0644"
  chmod 600 reader
  run 0 client score --server "$URL" --key reader --user 3 --items 1,2,3
  answers 401 "$URL/v1/score" -d "$BODY" -H "Authorization: Bearer ${READER_KEY}x"
  answers 200 "$URL/v1/score" -d "$BODY" -H "Authorization: Bearer $READER_KEY"
  answers 200 "$URL/v1/score" -d "$BODY" -H "X-API-Key: $READER_KEY"
  answers 200 "$URL/healthz"
  answers 200 "$URL/readyz"
  answers 403 "$URL/metrics" -H "X-API-Key: $READER_KEY"
  answers 200 "$URL/metrics" -H "X-API-Key: $ADMIN_KEY"
  write_keys "other:$READER_KEY-2"
  kill -HUP $SERVER
  await SIGHUP
  answers 200 --retry 20 --retry-delay 0 --retry-all-errors -f "$URL/v1/score" -d "$BODY" -H "X-API-Key: $READER_KEY-2"
  answers 401 "$URL/v1/score" -d "$BODY" -H "X-API-Key: $READER_KEY"
  write_keys nonsense
  kill -HUP $SERVER
  await "keys stay as they were: keys, line 1: write NAME:KEY"
  answers 200 "$URL/v1/score" -d "$BODY" -H "X-API-Key: $READER_KEY-2"
  stop TERM
  grep -q '"client":"reader","method":"POST","path":"/v1/score","status":200' access || fail "$(cat access)"
  grep -q '"client":"reader","method":"GET","path":"/metrics","status":403' access || fail "$(cat access)"
  grep -F -e $READER_KEY -e $ADMIN_KEY log access && fail "a key is logged"
  return 0
}

it_refuses_keys_that_others_may_read() {
  write_keys "reader:$READER_KEY"
  chmod 644 keys
  run 1 serve model --listen 127.0.0.1:0 --api-keys keys
  says "keys holds a secret, but its mode is 0644"
}

it_limits_each_client() {
  make_model
  launch --listen 127.0.0.1:0 --rate 1/h --burst 2
  answers 200 "$URL/v1/score" -d "$BODY"
  answers 200 "$URL/v1/score" -d "$BODY"
  answers 429 "$URL/v1/score" -d "$BODY"
  response_has '^Retry-After: 3[56][0-9][0-9]'
  response_has '"code":"too_many_requests"'
  answers 200 "$URL/readyz"
  stop TERM
}

it_keeps_what_is_for_admins_apart() {
  make_model
  launch --listen 127.0.0.1:0 --admin-listen "unix:$PWD/admin.sock"
  answers 404 "$URL/metrics"
  response_has "only the admin listener answers this"
  answers 200 "$URL/v1/score" -d "$BODY"
  answers 200 --unix-socket admin.sock http://here/metrics
  answers 200 --unix-socket admin.sock http://here/v1/score -d "$BODY"
  stop TERM
  launch --listen 0.0.0.0:0
  URL=http://127.0.0.1:${URL##*:}
  grep -q "^warning: whoever reaches 0.0.0.0:[0-9]* may ask" log || fail "$(cat log)"
  answers 404 "$URL/metrics"
  answers 200 "$URL/v1/score" -d "$BODY"
  stop TERM
}

# Wrong from its beginning, and sent until nobody reads it any more.
endless_body() {
  trap '' PIPE
  printf '{"usr": 1, '
  while printf '%10000s' 2>/dev/null; do
    sleep 0.02
  done
}

it_speaks_tls_with_the_certificate_of_the_day() {
  make_model
  make_certificate 1
  launch --listen 127.0.0.1:0 --tls-cert cert.pem --tls-key key.pem
  local port=${URL##*:}
  [ "$URL" = "https://127.0.0.1:$port" ] || fail "$URL"
  cp cert.pem first.pem
  answers 200 --cacert first.pem "https://localhost:$port/v1/score" -d "$BODY"
  make_certificate 2
  kill -HUP $SERVER
  await SIGHUP
  for _ in $(seq 100); do
    curl -s -o /dev/null --cacert cert.pem "https://localhost:$port/readyz" && break
    sleep 0.05
  done
  answers 200 --cacert cert.pem "https://localhost:$port/v1/score" -d "$BODY"
  answers 000 --cacert first.pem "https://localhost:$port/v1/score" -d "$BODY"
  answers 000 "http://localhost:$port/v1/score" -d "$BODY"
  endless_body | answers 400 --cacert cert.pem --max-time 10 -X POST -T . "https://localhost:$port/v1/score"
  response_has 'did you mean \\"user\\"'
  run 0 client score --server "https://localhost:$port" --ca cert.pem --user 3 --items 1,2,3
  run 3 client score --server "https://localhost:$port" --ca first.pem --user 3 --items 1,2,3
  says "cannot ask https://localhost:$port: "
  : >key.pem
  kill -HUP $SERVER
  await "the certificate stays as it was: key.pem holds no private key that can be read"
  answers 200 --cacert cert.pem "https://localhost:$port/v1/score" -d "$BODY"
  stop TERM
}

it_says_what_does_not_go_together() {
  run 2 serve model --tls-cert cert.pem
  says "--tls-cert and --tls-key go together"
  run 2 serve model --burst 3
  says "--burst goes with --rate"
  run 2 serve model --rate 1/h --burst 10000000
  says "takes over thirty years to refill"
  run 2 serve model --rate fast
  says "--rate fast is no rate; write 100/s, 6000/m or 100000/h"
  run 1 serve model --user no-such-user --listen 127.0.0.1:0
  says "there is no user no-such-user"
  run 1 serve model --listen fd:http
  says "fd:http is no socket that this process was started with"
}

# Caches that another user may write, and that no other test fills; with what there is of kernels.
use_own_caches() {
  mkdir caches
  [ -d "${XDG_CACHE_HOME:-}" ] && cp -r "$XDG_CACHE_HOME/." caches
  export XDG_CACHE_HOME=$PWD/caches POCL_CACHE_DIR=$PWD/caches/pocl
}

it_serves_as_another_user() {
  [ "$(id -u)" = 0 ] || exit 77
  make_model
  quick_model ../synth other --dim 36
  use_own_caches
  "$PROGRAM" kernels build model -o kernels >/dev/null 2>&1 || fail "no kernels"
  chmod 711 "$WORK" .
  mkdir run
  chown -R nobody caches run
  launch --listen "unix:$PWD/run/http.sock" --user nobody
  [ "$(ps -o uid= -p $SERVER | tr -d ' ')" = "$(id -u nobody)" ] || fail "it is $(ps -o user= -p $SERVER)"
  grep -q "^CapEff:.*0000000000000000" "/proc/$SERVER/status" || fail "$(cat "/proc/$SERVER/status")"
  grep -q "^NoNewPrivs:.*1" "/proc/$SERVER/status" || fail "$(cat "/proc/$SERVER/status")"
  [ "$(stat -c %U run/http.sock)" = nobody ] || fail "$(stat run/http.sock)"
  answers 200 --unix-socket run/http.sock http://here/v1/score -d "$BODY"
  mv other model
  kill -HUP $SERVER
  await "version 2 is served"
  grep -q "built by the server itself" log && fail "$(cat log)"
  answers 200 --unix-socket run/http.sock http://here/v1/score -d "$BODY"
  stop TERM
  [ ! -e run/http.sock ] || fail "it is still there"
}

# LeakSanitizer traces the process at its end, which the filter takes for an intruder's doing.
it_serves_and_reloads_behind_a_filter() {
  local ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
  export ASAN_OPTIONS
  make_model
  quick_model ../synth other --dim 44
  use_own_caches
  launch --listen 127.0.0.1:0 --seccomp on --shm "filtered-$$"
  grep -h "^Seccomp:" /proc/$SERVER/task/*/status | grep -qv "2$" && fail "a thread is not filtered"
  answers 200 "$URL/v1/score" -d "$BODY"
  run 0 client score --server "shm:filtered-$$" --user 3 --items 1,2,3
  cp model again
  mv again model
  kill -HUP $SERVER
  await "version 2 is served"
  answers 200 "$URL/v1/topk" -d '{"user": 3, "k": 5}'
  mv other model
  kill -HUP $SERVER
  await "the kernels for such a model are not in the cache"
  answers 200 "$URL/v1/score" -d "$BODY"
  POCL_CACHE_DIR=$PWD/elsewhere "$PROGRAM" kernels build model || fail "no kernels"
  kill -HUP $SERVER
  await "version 3 is served"
  answers 200 "$URL/v1/score" -d "$BODY"
  stop TERM
}

run_tests
