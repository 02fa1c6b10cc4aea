-- GET and SET over pooled connections, for want of lua-resty-redis in Debian 12; done as that does it.
local redis = {}
local tonumber, sub = tonumber, string.sub

local function ask(port, request)
  local socket = ngx.socket.tcp()
  socket:settimeout(1000)
  local ok, failure = socket:connect('127.0.0.1', port, { pool_size = 64 })
  if not ok then return false, failure end
  ok, failure = socket:send(request)
  if not ok then return false, failure end
  local line
  line, failure = socket:receive('*l')
  if not line then return false, failure end
  local kind, reply = sub(line, 1, 1), sub(line, 2)
  if kind == '$' then
    local length = tonumber(reply)
    if length < 0 then
      reply = nil
    else
      reply, failure = socket:receive(length)
      if not reply then return false, failure end
      socket:receive(2)
    end
  elseif kind == '-' then
    socket:setkeepalive(60000)
    return false, reply
  end
  socket:setkeepalive(60000)
  return reply
end

function redis.get(port, key)
  return ask(port, { '*2\r\n$3\r\nGET\r\n$', #key, '\r\n', key, '\r\n' })
end

function redis.set(port, key, value)
  return ask(port, { '*3\r\n$3\r\nSET\r\n$', #key, '\r\n', key, '\r\n$', #value, '\r\n', value, '\r\n' })
end

return redis
