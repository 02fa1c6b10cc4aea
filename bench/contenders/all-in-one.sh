# Gateway and node in one process. Nothing is copied there: the gateway looks into the node beside it.
title='RpOrleans, all in one process'
speaks=proxy

prepare() { projects+=(src/Gateway); }
describe() { :; }
serve() {
  free_port
  rporleans all-in-one Gateway CLUSTERING=embedded REDIS_HOST=127.0.0.1 REDIS_PORT=$redis_port SERVER_PORT=$http_port RESP_PORT=0 ADMIN_PORT=$port RECORD_CAPACITY=$capacity
  ports=$http_port servers="$redis_pid $pid"
}
