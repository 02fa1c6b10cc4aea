-- A read cache in front of Redis: an LRU in each worker, as lua-resty-lrucache has it. What another worker writes is seen when an entry expires.
local cjson = require 'cjson.safe'
local lrucache = require 'resty.lrucache'
local redis = require 'redis'

local cache = {}
local entries = assert(lrucache.new(settings.capacity))
local find, ngx, sub = string.find, ngx, string.sub

local function answer(status, body)
  ngx.status = status
  ngx.header['Content-Length'] = #body
  ngx.print(body)
end

-- What needs no escape in JSON is not escaped: most values.
local function quote(value)
  if find(value, '[%c"\\\128-\255]') then return cjson.encode(value) end
  return '"' .. value .. '"'
end

-- The value and where it came from; nil when there is none; false and why when Redis cannot be asked.
local function read(key)
  local value = entries:get(key)
  if value then return value, 'cache' end
  local failure
  value, failure = redis.get(settings.redis_port, key)
  if value then entries:set(key, value, settings.expiry) end
  return value, value and 'redis' or failure
end

function cache.get()
  local key = sub(ngx.var.uri, 6) -- after /get/, percent-decoded
  local value, source = read(key)
  if value then return answer(200, '{"value": ' .. quote(value) .. ', "source": "' .. source .. '"}') end
  if value == nil then return answer(404, 'key was not found') end
  answer(503, source)
end

function cache.set()
  ngx.req.read_body()
  local body = cjson.decode(ngx.req.get_body_data() or '')
  if not body then return answer(400, 'not JSON') end
  local ok, failure = redis.set(settings.redis_port, body.k, body.v)
  if not ok then return answer(503, failure) end
  entries:set(body.k, body.v, settings.expiry)
  answer(200, '{"result": "OK"}')
end

function cache.batch()
  ngx.req.read_body()
  local body = cjson.decode(ngx.req.get_body_data() or '')
  if not body then return answer(400, 'not JSON') end
  local results = {}
  for i, key in ipairs(body.keys) do
    local value, source = read(key)
    if value == false then return answer(503, source) end
    results[i] = value and '{"key": ' .. quote(key) .. ', "found": true, "value": ' .. quote(value) .. '}' or '{"key": ' .. quote(key) .. ', "found": false}'
  end
  answer(200, '{"results": [' .. table.concat(results, ', ') .. ']}')
end

return cache
