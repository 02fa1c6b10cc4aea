# A C program that answers HTTP from Redis, and caches nothing: every read goes to Redis.
title='webdis + redis-server'
speaks=webdis
# As Debian ships it: two threads, and, since its file names no pool, two connections to Redis of each.
webdis_threads=${WEBDIS_THREADS:-2} webdis_pool=${WEBDIS_POOL:-2}

prepare() { need webdis; }
describe() { echo "webdis $(version_of webdis), $webdis_threads threads, $webdis_pool connection(s) to Redis each, no log"; }
serve() {
  cat >"$work/webdis.json" <<J
{ "redis_host": "127.0.0.1", "redis_port": $redis_port, "http_host": "127.0.0.1", "http_port": $http_port,
  "threads": $webdis_threads, "pool_size": $webdis_pool, "daemonize": false, "websockets": false, "database": 0,
  "verbosity": 0, "logfile": "/dev/null" }
J
  start webdis webdis "$work/webdis.json"
  ports=$http_port servers="$redis_pid $pid"
}
