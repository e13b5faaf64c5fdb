#!/usr/bin/env bash
# Models of clicks: learned from logs that say what was clicked, measured against figures worked out in awk from
# what score says.
. "$(dirname "$0")/lib.sh"
needs_device

# click_log FILE SEED N: ads of three kinds and users of as many, who click on their own kind.
click_log() {
  awk -v seed="$2" -v n="$3" 'BEGIN {
    srand(seed)
    print "time,click,ad,user_id,site,price"
    for (i = 0; i < n; i++) {
      u = int(60 * rand()); a = int(90 * rand()); site = int(4 * rand())
      click = rand() < (u % 3 == a % 3 ? 0.8 : 0.2) ? 1 : 0
      printf "%d,%d,ad%d,%d,%s,%s\n", i, click, a, u, site ? "s" site : "", int(100 * rand()) / 10
    }
  }' >"$1"
}

COLUMNS_CHOSEN=(--label click --item ad --features user_id,site,price:log2)

learn_clicks() {
  local log=$1 model=$2
  shift 2
  run 0 learn "$log" -o "$model" "${COLUMNS_CHOSEN[@]}" --dim 8 --l2 0.01 --threads 2 "$@"
}

it_agrees_with_figures_of_its_own() {
  click_log log 1 4000
  click_log test 2 500
  learn_clicks log model --rows 60
  # buckets as data/click_columns.h has them
  awk -F, 'FNR > 1 {
    k = -20; while (2 ^ (k + 1) <= $6) k++
    bucket = $6 == 0 ? "0" : "2^" k
    printf "{\"user\":\"%s\",\"features\":{\"site\":[\"%s\"],\"price\":[\"%s\"]},\"items\":[\"%s\"]}\n", $4, $5, bucket, $3
  }' test >requests
  run 0 score model <requests
  sed 's/.*\[\(.*\)\].*/\1/' out >logits
  awk -F, 'FNR > 1 { print $2 }' test >labels
  paste labels logits | awk '{
      y[NR] = $1; z[NR] = $2; clicks += $1
      loss += log(1 + exp($1 ? -$2 : $2))
    }
    END {
      for (i = 1; i <= NR; i++) for (j = 1; j <= NR; j++) if (y[i] > y[j]) {
        pairs++; won += z[i] > z[j] ? 1 : z[i] == z[j] ? 0.5 : 0
      }
      p = clicks / NR
      printf "{\"examples\":%d,\"base_rate\":%.6f,\"log_loss\":%.6f,\"normalised_entropy\":%.6f,\"auc\":%.6f,", \
        NR, p, loss / NR, loss / NR / -(p * log(p) + (1 - p) * log(1 - p)), won / pairs
    }' >expected
  run 0 eval model --clicks test --json
  grep -qF "$(cat expected)" out || fail "awk finds $(cat expected): $(cat out)"
  run 0 eval model --clicks test
  grep -qE '^AUC +0\.[0-9]{6}$' out || fail "$(cat out)"
  grep -qE '^AUC +0\.[7-9]' out || fail "nothing was learned: $(cat out)"
}

it_stores_what_serving_and_inspecting_read() {
  click_log log 1 1000
  local precision method
  for precision in f32 f16 i8 i8-line i4; do
    learn_clicks log model --precision $precision --rows 60
    run 0 inspect model --verify
    prints "checksums match"
  done
  for method in full lhf frequency modulo; do
    learn_clicks log model --method $method --rows 60
    run 0 inspect model --verify
    run 0 topk model --user 7 --feature site=s1 -k 3
  done
  prints '"items":["ad'
}

it_gives_the_same_model_for_the_same_seed() {
  click_log log 1 1000
  learn_clicks log first --rows 60 --seed 7
  learn_clicks log second --rows 60 --seed 7
  same_file first second
  learn_clicks log other --rows 60 --seed 8
  cmp -s first other && fail "the seed changes nothing"
  gzip -k log
  learn_clicks log.gz second --rows 60 --seed 7
  same_file first second
}

it_takes_other_columns_for_the_evaluated_file() {
  click_log log 1 1000
  learn_clicks log model --rows 60
  run 0 eval model --clicks log --json
  mv out expected
  awk -F, 'NR > 1 { print $6 "\t" $5 "\t" $4 "\t" $3 "\t" 5 * $2 }' log >reordered
  run 0 eval model --clicks reordered --label '5>=3' --item 4 --features user=3,site=2,price=1:log2 --json
  same_file out expected
}

it_says_what_is_missing_or_wrong() {
  click_log log 1 1000
  run 2 learn log -o model --label click --item ad
  says "a click log needs all of --label, --item and --features"
  run 2 learn log -o model --label click --item ad --features user --budget 1%
  says "--budget is not for click logs: give --rows, then pack the model: collide convert --mapping packed"
  run 2 learn log -o model --label click --item ad --features user --hold-out 0.1
  says "--hold-out is not for click logs: give --val FILE"
  run 2 learn log -o model --label click --item ad --features user --patience 2
  says "--patience is not for click logs: training ends by itself"
  (head -n 1 log && tail -n +2 log | sort -t, -k2,2n) >sorted
  run 1 learn sorted -o model "${COLUMNS_CHOSEN[@]}"
  says "every one of the 100 held-out examples, the last tenth, is a click, so they choose nothing; shuffle the log"
  run 2 eval model --clicks log --mask log
  says "--mask goes with --test, not with --clicks"
  run 2 eval model --test log --label click
  says "--label goes with --clicks, not with --test"
  run 1 learn log -o model --label click --item ad --features nothing
  says "log:1: there is no column nothing"
  printf 'click,ad,user_id,site,price\n1,a,1,s,3\n7,a,1,s,3\n' >wrong
  run 1 learn wrong -o model "${COLUMNS_CHOSEN[@]}"
  says 'wrong:3: the label is "7"'
  run 1 learn log -o model "${COLUMNS_CHOSEN[@]}" --rows 5
  says "rows are too few"
  [ ! -e model ] || fail "a model was written"
  learn_clicks log model
  run 1 eval model --clicks wrong
  says 'wrong:3: the label is "7"'
  run 2 eval model --clicks log --test log
  says "not both"
  printf 'click,ad,user_id,site,price\n' >empty
  run 1 eval model --clicks empty
  says "empty holds no examples"
  small_log pairs
  quick_model pairs plain
  run 1 eval plain --clicks log
  says "was not learned from clicks"
}

run_tests
