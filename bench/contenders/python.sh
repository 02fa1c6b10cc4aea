# A small Python program with an LRU in a dictionary: the shape of what RpOrleans replaces.
title='Python, LRU in one process'
speaks=proxy

prepare() { need /usr/bin/python3=python3 /usr/lib/python3/dist-packages/redis=python3-redis; }
describe() { echo "$(/usr/bin/python3 --version), http.server, redis-py $(version_of python3-redis)"; }
serve() {
  start python /usr/bin/python3 bench/contenders/python/proxy.py $http_port $redis_port $capacity 86400
  ports=$http_port servers="$redis_pid $pid"
}
