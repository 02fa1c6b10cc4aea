# ASP.NET minimal API over HybridCache: what a .NET team would write (bench/HybridCache).
title='ASP.NET + HybridCache'
speaks=proxy

prepare() { projects+=(bench/HybridCache); }
describe() { echo "Microsoft.Extensions.Caching.Hybrid $(sed -n 's/.*Include="Microsoft.Extensions.Caching.Hybrid" Version="\([^"]*\)".*/\1/p' Directory.Packages.props), over StackExchange.Redis $(sed -n 's/.*Include="StackExchange.Redis" Version="\([^"]*\)".*/\1/p' Directory.Packages.props)"; }
serve() {
  start hybrid-cache env -u ASPNETCORE_URLS -u ASPNETCORE_HTTP_PORTS SERVER_PORT=$http_port REDIS_PORT=$redis_port CAPACITY_BYTES=$((capacity * bytes)) RECORD_EXPIRY=86400 \
    dotnet bench/HybridCache/bin/Release/net10.0/RpOrleans.HybridCache.dll
  ports=$http_port servers="$redis_pid $pid"
}
