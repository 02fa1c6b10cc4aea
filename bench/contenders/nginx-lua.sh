# nginx, one worker a core, each with an LRU of its own in Lua: the fastest that one would build without writing a server.
title='nginx + Lua, LRU per worker'
speaks=proxy

prepare() {
  need nginx /usr/lib/nginx/modules/ngx_http_lua_module.so=libnginx-mod-http-lua /usr/share/lua/5.1/resty/core.lua=lua-resty-core \
    /usr/share/lua/5.1/resty/lrucache.lua=lua-resty-lrucache "/usr/lib/$(uname -m)-linux-gnu/lua/5.1/cjson.so=lua-cjson"
}
describe() { echo "nginx $(version_of nginx), $(nproc) workers; lua-nginx-module $(version_of libnginx-mod-http-lua), lua-resty-lrucache $(version_of lua-resty-lrucache), the capacity shared out between the workers"; }
serve() {
  { # Workers of a master that runs as root are somebody else unless they are told.
    [ "$(id -u)" != 0 ] || echo 'user root;'
    sed -e "s|@WORK@|$work|; s|@HERE@|$PWD/bench/contenders/nginx-lua|; s|@PORT@|$http_port|; s|@REDIS_PORT@|$redis_port|; s|@CAPACITY@|$((capacity / $(nproc)))|; s|@EXPIRY@|86400|" \
      bench/contenders/nginx-lua/nginx.conf
  } >"$work/nginx.conf"
  start nginx nginx -c "$work/nginx.conf" -e "$work/nginx-errors.log"
  ports=$http_port
  local master=$pid _
  for _ in $(seq 100); do
    [ "$(pgrep -c -P $master)" != "$(nproc)" ] || break
    sleep 0.02
  done
  servers="$redis_pid $master $(pgrep -P $master | tr '\n' ' ')"
}
