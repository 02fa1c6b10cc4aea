// What an application does, done by ioredis, which speaks RESP2. Usage: node ioredis.mjs PORT.
import { Redis } from 'ioredis'
import { equal, gatewayIsKilledAndStartedAgain, port, step, until, within } from './claims.mjs'

// While the gateway is away commands wait for it, as ioredis has them do by itself; it only does not give up after 20 attempts.
const connect = () => new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null }).on('error', () => {})
const client = connect()

step('read and write')
equal(await client.set('key', 'value'), 'OK')
equal(await client.get('key'), 'value')
equal(await client.get('key'), 'value')
equal(await client.get('nobody'), null)
equal(await client.mget('key', 'nobody'), ['value', null])
equal(await client.hset('user', { name: 'Ada' }), 1)
equal(await client.hgetall('user'), { name: 'Ada' })

step('pipeline')
const pipeline = client.pipeline()
for (let i = 0; i < 500; i++) pipeline.set(`pipelined:${i}`, i).get(`pipelined:${i}`)
equal(await pipeline.exec(), Array.from({ length: 1000 }, (_, i) => [null, i % 2 === 0 ? 'OK' : String((i - 1) / 2)]))

step('transaction')
await client.set('counter', '1')
equal(await client.multi().incr('counter').get('counter').exec(), [[null, 2], [null, '2']])
equal(await client.get('counter'), '2')
const other = connect()
await client.watch('counter')
await other.set('counter', '10')
equal(await client.multi().set('counter', 'lost').exec(), null)
equal(await client.get('counter'), '10')

step('publish and subscribe')
const subscriber = connect()
equal(await subscriber.subscribe('channel'), 1)
const messageOn = () => new Promise(resolve => subscriber.once('message', (channel, message) => resolve(`${channel} ${message}`)))
const news = messageOn()
equal(await client.publish('channel', 'news'), 1)
equal(await within(10, news, 'the message arrives'), 'channel news')

step('blocking pop')
const job = other.blpop('queue', 10)
await client.rpush('queue', 'job')
equal(await job, ['queue', 'job'])

step('script')
client.defineCommand('put', { numberOfKeys: 1, lua: "redis.call('SET', KEYS[1], ARGV[1]); return redis.call('GET', KEYS[1])" })
equal(await client.put('key', 'scripted'), 'scripted') // EVALSHA, and EVAL if Redis does not know the script
equal(await client.put('key', 'again'), 'again')
equal(await client.get('key'), 'again')

step('scan')
const found = new Set()
for await (const keys of client.scanStream({ match: 'pipelined:*', count: 100 })) keys.forEach(key => found.add(key))
equal(found.size, 500)

step('reconnect')
await gatewayIsKilledAndStartedAgain()
equal(await within(20, client.get('key'), 'a read is answered'), 'again')
const back = messageOn()
await until(20, async () => await client.publish('channel', 'back') === 1, 'it has subscribed again')
equal(await within(10, back, 'the message arrives'), 'channel back')

step('done')
for (const each of [client, other, subscriber]) each.disconnect()
