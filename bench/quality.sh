#!/usr/bin/env bash
# The tables of docs/QUALITY.md, as Markdown: learned rows at the published budget, every method at it, each of lhf's
# signals alone, models of few bytes, and users with rows of their own.
#
#     bench/quality.sh COLLIDE DATA ROWS [TABLE...]
#
# COLLIDE: the program. DATA: a folder with train.txt, val.txt and test.txt. ROWS: the published budget, rows of 64 floats
# for users and items together, inside which further numbers are paid. TABLE: rows, methods, signals, bytes, ids; all of
# them unless said. Environment: SEEDS (3), THREADS (0: one a CPU).
set -euo pipefail

[ $# -ge 3 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
collide=$(realpath "$1") data=$2 budget=$3
shift 3
[ $# -gt 0 ] || set -- rows methods signals bytes ids
seeds=${SEEDS:-3} threads=${THREADS:-0}

count() { cut -d' ' -f"$1" "$data/train.txt" | sort -u | wc -l; }
users=$(count 1) items=$(count 2)

compare() {
  "$collide" compare "$data/train.txt" --test "$data/test.txt" --mask "$data/val.txt" --seeds "$seeds" \
    --threads "$threads" --markdown "$@"
}

# A weight and a bias an item, or a bias alone, inside the budget.
rows_beside() { echo $((budget - ($1 * items + 63) / 64)); }

rows() { compare --rows "$(rows_beside 2)" --precision f32 --methods lhf,full; }

# Half of the usual epochs: there are many of them.
methods() {
  compare --rows "$(rows_beside 2)" --precision f32 --teacher-epochs 15 --epochs 15 --methods \
    full,lhf,rq:2,rq:4,pq,cce,ce,baco,graphhash,leiden,lsh,frequency,hybrid,double,bloom,hash,modulo,qr,qr-mul,qr-concat,hashemb,robe
}

signals() {
  local share
  for share in 50 200; do
    compare --rows $((items / share)) --precision f32 --methods lhf,lhf:embedding,lhf:frequency
  done
}

# Histories come with the request.
bytes() {
  local percent
  for percent in 1% 0.5%; do
    compare --budget $percent --val "$data/val.txt" --methods auto
  done
}

# In the published rows, second indices paid inside, too; then in the published bytes, where every id keeps a row.
ids() {
  local rows=$(($(rows_beside 1) - (users + items + 63) / 64))
  compare --users row --methods rq:2 --rows $((rows * 42 / 100)) --precision f32 \
    --user-method rq --user-lookups 2 --user-rows $((rows * 58 / 100))
  compare --users row --methods full --user-method full --precision i4 --mapping packed --scalar-bits 8
}

echo "$users users, $items items"
for table in "$@"; do
  echo "== $table"
  $table
done
