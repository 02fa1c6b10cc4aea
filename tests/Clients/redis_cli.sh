#!/usr/bin/env bash
# What one does with redis-cli. Usage: redis_cli.sh PORT. Says "now" when the gateway is to be killed, and goes on when told of the new one.
set -euo pipefail
port=$1

step() { echo "redis-cli: $1"; }
cli() { redis-cli -p "$port" "$@"; }
equal() { if [ "$1" != "$2" ]; then echo "expected '$1', but got '$2'" >&2; exit 1; fi; }

step "read and write"
equal PONG "$(cli ping)"
equal OK "$(cli set key value)"
equal value "$(cli get key)"
equal value "$(cli get key)"
equal "" "$(cli get nobody)"

step "RESP3"
cli hset user name Ada >/dev/null
equal '1# "name" => "Ada"' "$(cli -3 --no-raw hgetall user)"
equal '(nil)' "$(cli -3 --no-raw get nobody)"

step "pipeline"
for i in $(seq 500); do printf 'SET pipelined:%d %d\r\nGET pipelined:%d\r\n' "$i" "$i" "$i"; done | cli --pipe | grep -q "errors: 0, replies: 1000"

step "transaction"
equal "OK OK QUEUED QUEUED OK 2" "$(printf 'SET counter 1\nMULTI\nSET counter 2\nGET counter\nEXEC\n' | cli | xargs)"
equal 2 "$(cli get counter)"
equal "OK OK OK QUEUED" "$(printf 'WATCH counter\nSET counter 3\nMULTI\nSET counter lost\nEXEC\n' | cli | xargs)"
equal 3 "$(cli get counter)"

step "publish and subscribe"
coproc subscribed { exec redis-cli -p "$port" subscribe channel; }
subscriber=$subscribed_PID # bash forgets the other when it ends
for line in subscribe channel 1; do read -r -t 10 heard <&"${subscribed[0]}"; equal "$line" "$heard"; done
equal 1 "$(cli publish channel news)"
for line in message channel news; do read -r -t 10 heard <&"${subscribed[0]}"; equal "$line" "$heard"; done
kill "$subscriber"
wait "$subscriber" 2>/dev/null || true

step "blocking pop"
popped=$(mktemp)
trap 'rm -f "$popped"' EXIT
cli blpop queue 10 >"$popped" &
cli rpush queue job >/dev/null
wait $!
equal "queue job" "$(xargs <"$popped")"

step "script"
equal scripted "$(cli eval "redis.call('SET', KEYS[1], ARGV[1]); return ARGV[1]" 1 key scripted)"
equal scripted "$(cli get key)"
sha=$(cli script load "redis.call('SET', KEYS[1], ARGV[1]); return ARGV[1]")
equal again "$(cli evalsha "$sha" 1 key again)"
equal again "$(cli get key)"

step "scan"
equal 500 "$(cli --scan --pattern 'pipelined:*' | sort -u | wc -l)"

step "reconnect" # behind a pipe redis-cli ends with its connection; the next one is served
echo now
read -r
equal again "$(cli get key)"

step "done"
