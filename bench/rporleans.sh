# How RpOrleans is started, by contenders/*.sh and resp.

# The program with the given settings, and none that the caller's shell happens to have.
rporleans() { # NAME PROJECT SETTING…
  local name=$1 project=$2
  shift 2
  start "$name" env -u SEVER_PORT -u REDIS_DB -u REDIS_USER -u REDIS_PASSWORD -u REDIS_TIMEOUT -u MEMBERSHIP_REDIS_PASSWORD \
    -u SILO_PORT -u SILO_GATEWAY_PORT -u ADVERTISED_IP -u ADMIN_HOST -u ALLOW_ANONYMOUS -u LOG_LEVEL \
    -u MAX_CLIENTS -u MAX_KEY_BYTES -u MAX_VALUE_BYTES -u ASPNETCORE_URLS -u ASPNETCORE_HTTP_PORTS \
    RECORD_CAPACITY=100000 RECORD_CAPACITY_BYTES="${capacity_bytes:-268435456}" RECORD_EXPIRY=86400 HOST_NAME=localhost "$@" \
    dotnet "src/$project/bin/Release/net10.0/RpOrleans.$project.dll"
}

# A node of a cluster: the cluster's settings in $shared, its id in $silo_pid. The data Redis is on $redis_port, the membership Redis on $membership_port.
start_node() { # SETTING…
  local silo_port silo_gateway_port
  shared=(CLUSTERING=redis CLUSTER_ID=bench MEMBERSHIP_REDIS=127.0.0.1:$membership_port REDIS_HOST=127.0.0.1 REDIS_PORT=$redis_port)
  free_port; silo_port=$port
  free_port; silo_gateway_port=$port
  free_port; node_admin=$port
  node_log=silo-$port
  rporleans "$node_log" Silo "${shared[@]}" SILO_PORT=$silo_port SILO_GATEWAY_PORT=$silo_gateway_port ADMIN_PORT=$port "$@"
  silo_pid=$pid
}
await_node() { await "$node_log" curl -sf "http://localhost:$node_admin/readyz"; }

# Nodes that share $capacity, and gateways, the last to start on $http_port; as a contender's serve does it: whoever calls it waits for that one.
serve_cluster() { # GATEWAYS NODES SETTING…
  local gateways=$1 nodes=$2 node gateway membership listens more=
  shift 2
  local redis=$redis_pid nodes_started=()
  start_redis "membership-$http_port"
  membership_port=$port membership=$pid
  servers="$redis $membership"
  for ((node = 0; node < nodes; node++)); do
    start_node RECORD_CAPACITY=$((capacity / nodes))
    servers+=" $silo_pid"
    nodes_started+=("$pid $node_admin $node_log")
    [ $node != 0 ] || await_node # the others join it, all at once
  done
  for node in "${nodes_started[@]}"; do
    read -r pid node_admin node_log <<<"$node"
    await_node
  done
  for ((gateway = gateways - 1; gateway >= 0; gateway--)); do
    if [ $gateway = 0 ]; then listens=$http_port; else
      free_port
      listens=$port more+=,$port
    fi
    free_port
    rporleans "gateway-$listens" Gateway "${shared[@]}" SERVER_PORT=$listens RESP_PORT=0 ADMIN_PORT=$port "$@"
    servers+=" $pid"
    [ $gateway = 0 ] || await "gateway-$listens" curl -sf "http://localhost:$port/readyz"
  done
  ports=$http_port$more
}
