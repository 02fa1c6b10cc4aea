#!/usr/bin/env bash
# Every test. On Debian and Ubuntu it installs what they need (as root, or by sudo); elsewhere it names what is missing.
# Nothing is skipped here: a test that lacks something fails. A bare `dotnet test RpOrleans.sln` skips it, with the reason.
set -euo pipefail
cd "$(dirname "$0")"

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

packages=()
command -v redis-server >/dev/null || packages+=(redis-server)
command -v docker >/dev/null || packages+=(docker.io)
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || packages+=(docker-compose)
command -v curl >/dev/null || packages+=(curl)
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || packages+=(faketime) # the checker sets clocks with it
# Clients that the tests put in front of a gateway; without what Debian recommends with npm, which is a compiler.
clients=()
command -v redis-cli >/dev/null || clients+=(redis-tools)
{ /usr/bin/python3 -c "import redis" || python3 -c "import redis"; } >/dev/null 2>&1 || clients+=(python3-redis)
command -v node >/dev/null || clients+=(nodejs)
command -v npm >/dev/null || clients+=(npm)
if [ ${#packages[@]} -gt 0 ] || [ ${#clients[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    echo "The tests need: ${packages[*]} ${clients[*]}. Please install them, by the names they have on this system." >&2
    exit 1
  fi
  echo "Installing ${packages[*]} ${clients[*]}"
  as_root apt-get update -qq
  install() { as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq "$@" >/dev/null; }
  [ ${#packages[@]} = 0 ] || install "${packages[@]}"
  [ ${#clients[@]} = 0 ] || install --no-install-recommends "${clients[@]}"
fi

if ! docker info >/dev/null 2>&1; then
  echo "Starting the Docker engine"
  as_root sh -c 'service docker start || (dockerd >/var/log/dockerd.log 2>&1 &)' >/dev/null 2>&1
  for _ in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 0.5; done
fi

# The Node.js clients, as package-lock.json has them; nothing where they are there already.
npm ls --prefix tests/Clients >/dev/null 2>&1 || npm ci --prefix tests/Clients --silent --no-audit --no-fund

export RPORLEANS_REQUIRE_ALL=1
export DOTNET_TieredPGO=0 # what runs for seconds is not worth measuring, to compile it better later
dotnet build RpOrleans.sln -c Release -v quiet -nologo
run() { dotnet test RpOrleans.sln -c Release --no-build --logger "console;verbosity=normal" --filter "$1"; }

# Tests that wait for most of their time have a process of their own, beside the others.
said=$(mktemp)
run Beside=Others >"$said" 2>&1 &
beside=$!
trap 'kill $beside 2>/dev/null || true; rm -f "$said"' EXIT
failed=0
run 'Beside!=Others' || failed=1
wait $beside || failed=1
cat "$said"
exit $failed
