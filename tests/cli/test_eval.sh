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

# make_lists FILE...: in the file lists, the best 20 of each of the file users, without what the files hold.
make_lists() {
  awk '{ print $1 }' test | sort -un >users
  awk 'FILENAME != "users" { masked[$1] = masked[$1] "," $2; next }
    { printf "{\"user\": %s, \"k\": 20, \"exclude_seen\": true, \"exclude\": [%s]}\n", $1, substr(masked[$1], 2) }' \
    "$@" users >requests
  run 0 topk model <requests
  cp out lists
}

# awk_by items|users K: of each class its label, members, held-out interactions, recall and ndcg; counted is the
# file train.
awk_by() {
  # Items with the most lines first, of equals the smaller id.
  awk '{ n[$2]++ } END { for (i in n) print n[i], i }' train | sort -k1,1nr -k2,2n >by_count
  awk -v by="$1" -v k="$2" '
    function class_of_length(l) { return l <= 5 ? "0-5" : l <= 10 ? "6-10" : l <= 20 ? "11-20" : l <= 50 ? "21-50" : "51+" }
    function discount(r) { return log(2) / log(r + 1) }
    FILENAME == "train" { length_of[$1]++; n_lines++; next }
    FILENAME == "by_count" {
      class_of[$2] = 4 * before < n_lines ? 1 : 4 * before < 2 * n_lines ? 2 : 4 * before < 3 * n_lines ? 3 : 4
      members[class_of[$2]]++
      before += $1
      next
    }
    FILENAME == "test" { relevant[$1, ++n[$1]] = $2; next }
    FILENAME == "users" { user[++n_users] = $1; next }
    {
      u = user[++line]
      sub(/^\{"items":\[/, ""); sub(/\].*/, "")
      n_ranked = split($0, item, ",")
      split("", rank)
      for (r = 1; r <= n_ranked; r++) rank[item[r]] = r
      split("", there); split("", gain); split("", hits)
      for (i = 1; i <= n[u]; i++) {
        x = relevant[u, i]
        c = by == "users" ? class_of_length(length_of[u] + 0) : x in class_of ? class_of[x] : "none"
        there[c]++
        if (x in rank && rank[x] <= k) { hits[c]++; gain[c] += discount(rank[x]) }
      }
      for (c in there) {
        least = there[c] < k ? there[c] : k
        ideal = 0
        for (r = 1; r <= least; r++) ideal += discount(r)
        held_out[c] += there[c]
        judged[c]++
        recall[c] += by == "users" ? hits[c] / least : hits[c]
        ndcg[c] += gain[c] / ideal
      }
    }
    END {
      for (c in held_out)
        printf "%s %d %d %.6f %.6f\n", c, by == "users" ? judged[c] : members[c], held_out[c],
          recall[c] / (by == "users" ? judged[c] : held_out[c]), ndcg[c] / judged[c]
    }' train by_count test users lists
}

# Compares the file figures with what awk finds for every class; N classes must not be empty.
check_by() {
  local by=$1 k=$2 n_wanted=$3 label members held_out recall ndcg n=0
  while read -r label members held_out recall ndcg; do
    case $by in
    items) grep -qE "\"quarter\":\"$label\",\"items\":$members,[^{]*\"held_out\":$held_out,\"metrics\":\[[^]]*\{\"k\":$k,\"recall\":$recall,\"ndcg\":$ndcg\}" figures ;;
    users) grep -qE "\"history\":\"${label/+/\\+}\",\"users\":$members,\"held_out\":$held_out,\"metrics\":\[[^]]*\{\"k\":$k,\"recall\":$recall,\"ndcg\":$ndcg\}" figures ;;
    esac || fail "awk finds for $by $label: $members, $held_out, recall $recall, ndcg $ndcg at $k: $(cat figures)"
    n=$((n + 1))
  done < <(awk_by "$by" "$k")
  [ $n -ge "$n_wanted" ] || fail "$n classes of $by"
}

it_agrees_with_an_evaluator_of_its_own() {
  make_split
  make_lists val
  run 0 eval model --test test --mask val -k 1,5,20 --json
  cp out figures
  for k in 1 5 20; do
    read -r recall ndcg < <(awk_eval $k)
    grep -q "{\"k\":$k,\"recall\":$recall,\"ndcg\":$ndcg}" figures ||
      fail "awk finds recall $recall and ndcg $ndcg at $k: $(cat figures)"
  done
  grep -q "^{\"users\":$(wc -l <users),\"metrics\":" figures || fail "$(cat figures)"
}

it_breaks_figures_down_by_items_and_users() {
  make_split
  echo "3 149" >>test # an item of few or no interactions
  make_lists val
  run 0 eval model --test test --mask val -k 5,20 --by both --json
  cp out figures
  for k in 5 20; do
    check_by items $k 4
    check_by users $k 3
  done
  # Counted from a file, it is the same.
  run 0 eval model --test test --mask val -k 5,20 --by both --json --history train
  same_file out figures
  run 0 eval model --test test --by items
  grep -qE '^ +4 +[0-9]+ +[0-9]+-[0-9]+ +[0-9]+( +[0-9]+\.[0-9]{3}){6}$' out || fail "$(cat out)"
  grep -q "by length" out && fail "users were not asked for"
  run 0 eval model --test test --by users
  grep -qE '^ +21-50 +[0-9]+ +[0-9]+( +[0-9]+\.[0-9]{3}){6}$' out || fail "$(cat out)"
}

it_says_that_items_nobody_had_are_a_class_of_their_own() {
  make_split
  printf '3 7\n5 strange\n' >few
  run 0 eval model --test few --mask val --by items --json -k 5
  grep -q '"quarter":"none","items":[0-9]*,"interactions":0,"least":0,"most":0,"held_out":1,"metrics":\[{"k":5,"recall":0.000000,"ndcg":0.000000}' out ||
    fail "$(cat out)"
}

it_evaluates_users_with_rows_by_what_is_masked() {
  make_split
  quick_model train model --users row --user-rows 60
  make_lists train val
  run 0 eval model --test test --mask train --mask val -k 1,5,20 --json
  cp out figures
  for k in 1 5 20; do
    read -r recall ndcg < <(awk_eval $k)
    grep -q "{\"k\":$k,\"recall\":$recall,\"ndcg\":$ndcg}" figures ||
      fail "awk finds recall $recall and ndcg $ndcg at $k: $(cat figures)"
  done
  run 0 eval model --test test --mask train --by both --json -k 5
  cp out figures
  make_lists train
  check_by items 5 4
  check_by users 5 3
  run 0 eval model --test test
  says "nothing is masked"
  run 1 eval model --test test --by items
  says "nothing says how often items occur"
}

it_sends_histories_beside_users_with_rows() {
  make_split
  quick_model train stored --users both --user-rows 60 --histories model
  quick_model train bare --users both --user-rows 60 --histories none
  run 0 eval stored --test test --mask val --json
  mv out with_stored
  run 0 eval bare --test test --mask val --json --history train
  same_file out with_stored
  run 1 eval stored --test test --history train
  says "leave --history out"
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

it_refuses_histories_that_say_nothing() {
  make_split
  : >empty
  run 1 eval model --test test --history empty
  says "empty holds no interactions"
}

it_takes_layouts_that_could_be_either() {
  make_split
  printf '1 2 3\n4 5 6\n' >three
  run 1 eval model --test three
  says "layout"
  run 0 eval model --test three --layout adjacency
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
