# What bench/run and bench/resp have in common; to be read by them, in the repository's folder. RpOrleans itself: rporleans.sh.

say() { printf 'bench: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# ---- What they need ----

PATH=$PATH:/usr/sbin # where a user who is not root does not look for servers

# need PROGRAM… or FILE=PACKAGE…: installs from Debian what is missing, where it may, and starts no services.
need() {
  local missing= wanted
  for wanted in "$@"; do
    case $wanted in
      *=*) [ -e "${wanted%=*}" ] || missing+=" ${wanted#*=}" ;;
      redis-cli | redis-benchmark) command -v $wanted >/dev/null || missing+=' redis-tools' ;;
      *) command -v $wanted >/dev/null || missing+=" $wanted" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing$missing"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
  else
    die "needs$missing (Debian: apt-get install$missing)"
  fi
}

# build FOLDER…: of projects
build() {
  command -v dotnet >/dev/null || die 'needs the .NET 10 SDK'
  say 'building'
  local folder
  for folder in "$@"; do
    dotnet build -c Release --nologo -v quiet $folder || die "$folder does not build"
  done
}

# ---- Processes: each is started here, and ended by its own id ----

work=$(mktemp -d)
redises=() pids=()
# A node takes leave of its membership Redis, so the Redises end last.
end_all() {
  end_those "${pids[@]}"
  end_those "${redises[@]}"
  redises=() pids=()
  rm -f "$work"/*.log
}
end_those() {
  local id _
  kill "$@" 2>/dev/null || true
  for id in "$@"; do
    for _ in $(seq 100); do
      kill -0 "$id" 2>/dev/null || break
      sleep 0.1
    done
    ! kill -KILL "$id" 2>/dev/null || say "process $id had to be killed"
  done
}
cleanup() {
  trap '' INT TERM
  end_all
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

# start NAME COMMAND…: runs it in the background, its output in $work/NAME.log, its id in $pid, when in $started (seconds since 1970).
start() {
  local name=$1
  shift
  started=$EPOCHREALTIME
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
  unset 'pids[-1]'
  redises+=($pid)
  await "$1" redis-cli -p $port ping
}

# What redis-benchmark asks for as bench__rand_int__, 10,000 keys of 100 bytes, into the store on that port. Not as inline commands, which Garnet does not know.
fill() { # PORT
  awk 'BEGIN { for (i = 0; i < 10000; i++) printf "*3\r\n$3\r\nSET\r\n$17\r\nbench%012d\r\n$100\r\n%0100d\r\n", i, i }' | redis-cli -p $1 --pipe >/dev/null
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
redis_version() { redis-server --version | sed 's/.*v=\([^ ]*\).*/\1/'; }
version_of() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo 'version unknown'; }
about_machine() {
  cat <<M
- $(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)$([ -z "$(git status --porcelain 2>/dev/null)" ] || echo ' with changes')
- $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r); load generator on the same machine; .NET $(dotnet --list-runtimes | sed -n 's/^Microsoft.NETCore.App \(10[^ ]*\).*/\1/p' | tail -n 1)
M
}
