#!/usr/bin/env bash
# Everything that redis-benchmark asks by itself, alone and in pipelines, in RESP2 and in RESP3. Usage: redis_benchmark.sh PORT.
set -euo pipefail
port=$1

for how in "-P 1" "-P 16" "-P 16 -3"; do
  echo "redis-benchmark $how"
  # shellcheck disable=SC2086 # two words
  said=$(redis-benchmark -p "$port" -n 1000 -c 20 -r 100 -d 100 $how --csv 2>&1)
  if grep -qiE "error|denied" <<<"$said"; then echo "$said" >&2; exit 1; fi
  # A line for each: which is there, and has a rate.
  for test in PING_INLINE PING_MBULK SET GET INCR LPUSH RPUSH LPOP RPOP SADD HSET SPOP ZADD ZPOPMIN "LRANGE_100 (first 100 elements)" "MSET (10 keys)"; do
    grep -qE "^\"${test//[()]/.}\",\"[1-9]" <<<"$said" || { echo "No rate of $test: $said" >&2; exit 1; }
  done
done
