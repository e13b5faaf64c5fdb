#!/usr/bin/env bash
# eval against figures worked out in awk from what topk recommends.
. "$(dirname "$0")/lib.sh"
needs_device

make_split() {
  small_log log
  awk '{ print > (NR % 10 == 0 ? "test" : NR % 10 == 1 ? "val" : "train") }' log
  quick_model train model
}

# awk_eval K: recall and NDCG in percent, over the users of the file test, whose lists are in the file lists.
awk_eval() {
  awk -v k="$1" '
    FILENAME == "test" { n[$1]++; relevant[$1, $2] = 1; next }
    FILENAME == "users" { user[++n_users] = $1; next }
    {
      u = user[++line]
      sub(/^\{"items":\[/, ""); sub(/\].*/, "")
      n_ranked = split($0, item, ",")
      hits = gain = ideal = 0
      for (r = 1; r <= k; r++) {
        if (r <= n[u]) ideal += log(2) / log(r + 1)
        if (r <= n_ranked && (u, item[r]) in relevant) { hits++; gain += log(2) / log(r + 1) }
      }
      recall += hits / (n[u] < k ? n[u] : k)
      ndcg += gain / ideal
    }
    END { printf "%.6f %.6f\n", recall / n_users, ndcg / n_users }' test users lists
}

it_agrees_with_an_evaluator_of_its_own() {
  make_split
  awk '{ print $1 }' test | sort -un >users
  awk 'FILENAME == "val" { masked[$1] = masked[$1] "," $2; next }
    { printf "{\"user\": %s, \"k\": 20, \"exclude_seen\": true, \"exclude\": [%s]}\n", $1, substr(masked[$1], 2) }' \
    val users >requests
  run 0 topk model <requests
  cp out lists
  run 0 eval model --test test --mask val -k 1,5,20 --json
  cp out figures
  for k in 1 5 20; do
    read -r recall ndcg < <(awk_eval $k)
    grep -q "{\"k\":$k,\"recall\":$recall,\"ndcg\":$ndcg}" figures ||
      fail "awk finds recall $recall and ndcg $ndcg at $k: $(cat figures)"
  done
  grep -q "^{\"users\":$(wc -l <users),\"metrics\":" figures || fail "$(cat figures)"
}

it_finds_the_same_on_any_number_of_threads() {
  make_split
  run 0 eval model --test test --json --threads 1
  mv out one
  run 0 eval model --test test --json --threads 3
  same_file out one
}

it_prints_a_table_for_people() {
  make_split
  run 0 eval model --test test
  grep -qE '^ +20 +[0-9]+\.[0-9]{3} +[0-9]+\.[0-9]{3}$' out || fail "$(cat out)"
}

it_takes_histories_from_a_file_where_the_model_has_none() {
  make_split
  run 0 eval model --test test --json
  mv out with_stored
  quick_model train bare --histories none
  run 1 eval bare --test test
  says "bare stores no histories; give them with --history FILE"
  run 0 eval bare --test test --history train --json
  same_file out with_stored
}

it_refuses_test_files_that_say_nothing() {
  make_split
  : >empty
  run 1 eval model --test empty
  says "empty"
  run 1 eval model --test nowhere
  says "cannot open nowhere"
  printf '1 2\nx\n' >wrong
  run 1 eval model --test wrong
  says "wrong:2: "
}

run_tests
