-- A read cache in front of Redis: an LRU in each worker, as lua-resty-lrucache has it. What another worker writes is seen when an entry expires.
local cjson = require 'cjson.safe'
local lrucache = require 'resty.lrucache'
local redis = require 'redis'

local cache = {}
local entries = assert(lrucache.new(settings.capacity))
local find, insert, ngx, sub = string.find, table.insert, ngx, string.sub

-- One string: parts in a table would not be compiled, and take twice the CPU.
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

-- The value as it stands in JSON, for so it is kept, and where it came from; nil when there is none; false and why when Redis cannot be asked.
local function read(key)
  local value = entries:get(key)
  if value then return value, 'cache' end
  local failure
  value, failure = redis.get(settings.redis_port, key)
  if not value then return value, failure end
  value = quote(value)
  entries:set(key, value, settings.expiry)
  return value, 'redis'
end

function cache.get()
  local key = sub(ngx.var.uri, 6) -- after /get/, percent-decoded
  local value, source = read(key)
  if value then return answer(200, '{"value": ' .. value .. ', "source": "' .. source .. '"}') end
  if value == nil then return answer(404, 'key was not found') end
  answer(503, source)
end

function cache.set()
  ngx.req.read_body()
  local body = cjson.decode(ngx.req.get_body_data() or '')
  if not body then return answer(400, 'not JSON') end
  local ok, failure = redis.set(settings.redis_port, body.k, body.v)
  if not ok then return answer(503, failure) end
  entries:set(body.k, quote(body.v), settings.expiry)
  answer(200, '{"result": "OK"}')
end

function cache.batch()
  ngx.req.read_body()
  local body = cjson.decode(ngx.req.get_body_data() or '')
  if not body then return answer(400, 'not JSON') end
  local results = { '{"results": [' }
  for i, key in ipairs(body.keys) do
    local value, source = read(key)
    if value == false then return answer(503, source) end
    insert(results, i == 1 and '{"key": ' or ', {"key": ')
    insert(results, quote(key))
    if value then
      insert(results, ', "found": true, "value": ')
      insert(results, value)
      insert(results, '}')
    else
      insert(results, ', "found": false}')
    end
  end
  insert(results, ']}')
  answer(200, table.concat(results))
end

return cache
