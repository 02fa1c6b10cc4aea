# What bench/run and bench/resp have in common; to be read by them, in the repository's folder.

say() { printf 'bench: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# ---- What they need ----

# need PROGRAM…: installs from Debian what is missing, where it may.
need() {
  local missing= program
  for program in "$@"; do
    command -v $program >/dev/null || case $program in
      redis-cli | redis-benchmark) missing+=' redis-tools' ;;
      *) missing+=" $program" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing$missing"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  else
    die "needs$missing (Debian: apt-get install$missing)"
  fi
}

# build PROJECT…
build() {
  command -v dotnet >/dev/null || die 'needs the .NET 10 SDK'
  say 'building'
  local project
  for project in "$@"; do
    dotnet build -c Release --nologo -v quiet src/$project || die "src/$project does not build"
  done
}

# ---- Processes: each is started here, and ended by its own id ----

work=$(mktemp -d)
pids=()
# In turn, the last first: a node takes leave of its membership Redis, so that must be there still.
cleanup() {
  trap '' INT TERM
  local i id _
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    id=${pids[i]}
    kill "$id" 2>/dev/null || continue
    for _ in $(seq 100); do
      kill -0 "$id" 2>/dev/null || break
      sleep 0.1
    done
    ! kill -KILL "$id" 2>/dev/null || say "process $id had to be killed"
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Leaves a port in $port that nobody listens on. Below 32768, where outgoing connections do not begin.
port=$((20000 + RANDOM % 8000))
free_port() {
  port=$((port + 1))
  while (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
}

# start NAME COMMAND…: runs it in the background, its output in $work/NAME.log, its id in $pid.
start() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 </dev/null &
  pid=$!
  pids+=($pid)
}

# await NAME COMMAND…: until the command succeeds, 30 s at most.
await() {
  local name=$1
  shift
  for _ in $(seq 300); do
    "$@" >/dev/null 2>&1 && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$work/$name.log" >&2
  die "$name did not start"
}

start_redis() { # NAME; leaves its port in $port and its id in $pid
  free_port
  start "$1" redis-server --port $port --bind 127.0.0.1 --save '' --appendonly no --dir "$work"
  await "$1" redis-cli -p $port ping
}

# The program with the given settings, and none that the caller's shell happens to have.
rporleans() { # NAME PROJECT SETTING…
  local name=$1 project=$2
  shift 2
  start "$name" env -u SEVER_PORT -u REDIS_DB -u REDIS_USER -u REDIS_PASSWORD -u REDIS_TIMEOUT -u MEMBERSHIP_REDIS_PASSWORD \
    -u SILO_PORT -u SILO_GATEWAY_PORT -u ADVERTISED_IP -u ADMIN_HOST -u ALLOW_ANONYMOUS -u LOG_LEVEL \
    -u MAX_CLIENTS -u MAX_KEY_BYTES -u MAX_VALUE_BYTES -u RECORD_CAPACITY_BYTES -u ASPNETCORE_URLS -u ASPNETCORE_HTTP_PORTS \
    RECORD_CAPACITY=100000 RECORD_EXPIRY=86400 HOST_NAME=localhost "$@" \
    dotnet "src/$project/bin/Release/net10.0/RpOrleans.$project.dll"
}

# A cluster of one node: its settings in $shared, its id in $silo_pid. The data Redis is on $redis_port, the membership Redis on $membership_port.
start_node() {
  local silo_port silo_gateway_port
  shared=(CLUSTERING=redis CLUSTER_ID=bench MEMBERSHIP_REDIS=127.0.0.1:$membership_port REDIS_HOST=127.0.0.1 REDIS_PORT=$redis_port)
  free_port; silo_port=$port
  free_port; silo_gateway_port=$port
  free_port
  rporleans silo Silo "${shared[@]}" SILO_PORT=$silo_port SILO_GATEWAY_PORT=$silo_gateway_port ADMIN_PORT=$port
  silo_pid=$pid
  await silo curl -sf "http://localhost:$port/readyz"
}

# ---- Figures ----

ticks() { # user and system time that the processes have used so far, in ticks
  local sum=0 id stat
  for id in "$@"; do
    stat=$(<"/proc/$id/stat") || die "process $id has ended"
    set -- ${stat##*) } # what follows the name, which may hold spaces: the time is the 12th and 13th of it
    sum=$((sum + ${12} + ${13}))
  done
  echo $sum
}
median() { # FILE COLUMN
  awk -v c="$2" '{ print $c }' "$1" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
version_of() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo 'version unknown'; }
about_machine() {
  cat <<M
- $(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)$([ -z "$(git status --porcelain 2>/dev/null)" ] || echo ' with changes')
- $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r); load generator on the same machine; .NET $(dotnet --list-runtimes | sed -n 's/^Microsoft.NETCore.App \(10[^ ]*\).*/\1/p' | tail -n 1)
M
}
