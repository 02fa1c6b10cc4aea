// What an application does, done by node-redis, in RESP2 and in RESP3. Usage: node node_redis.mjs PORT.
import { createClient, WatchError } from 'redis'
import { equal, gatewayIsKilledAndStartedAgain, port, step, until, within } from './claims.mjs'

const connect = RESP => createClient({ RESP, socket: { host: '127.0.0.1', port } }).on('error', () => {}).connect()

async function use(RESP) {
  const said = name => step(`RESP${RESP}: ${name}`)
  const client = await connect(RESP)

  said('read and write')
  equal(await client.set('key', 'value'), 'OK')
  equal(await client.get('key'), 'value')
  equal(await client.get('key'), 'value')
  equal(await client.get('nobody'), null)
  equal(await client.mGet(['key', 'nobody']), ['value', null])
  await client.hSet('user', { name: 'Ada' })
  equal({ ...(await client.hGetAll('user')) }, { name: 'Ada' })

  said('pipeline') // what is asked in one turn goes in one piece
  const replies = []
  for (let i = 0; i < 500; i++) replies.push(client.set(`pipelined:${i}`, String(i)), client.get(`pipelined:${i}`))
  equal(await Promise.all(replies), Array.from({ length: 1000 }, (_, i) => i % 2 === 0 ? 'OK' : String((i - 1) / 2)))

  said('transaction')
  await client.set('counter', '1')
  equal(await client.multi().incr('counter').get('counter').exec(), [2, '2'])
  equal(await client.get('counter'), '2')
  const other = await connect(RESP)
  await client.watch('counter')
  await other.set('counter', '10')
  const lost = await client.multi().set('counter', 'lost').exec().catch(failure => failure)
  equal(lost instanceof WatchError, true)
  equal(await client.get('counter'), '10')

  said('publish and subscribe')
  const subscriber = await connect(RESP)
  let heard
  const messageOn = () => new Promise(resolve => { heard = resolve })
  const news = messageOn()
  await subscriber.subscribe(`channel:${RESP}`, (message, channel) => heard(`${channel} ${message}`))
  equal(await client.publish(`channel:${RESP}`, 'news'), 1)
  equal(await within(10, news, 'the message arrives'), `channel:${RESP} news`)

  said('blocking pop')
  const job = other.blPop('queue', 10)
  await client.rPush('queue', 'job')
  equal({ ...(await job) }, { key: 'queue', element: 'job' })

  said('script')
  const script = "redis.call('SET', KEYS[1], ARGV[1]); return redis.call('GET', KEYS[1])"
  equal(await client.eval(script, { keys: ['key'], arguments: ['scripted'] }), 'scripted')
  equal(await client.get('key'), 'scripted')
  equal(await client.evalSha(await client.scriptLoad(script), { keys: ['key'], arguments: ['again'] }), 'again')
  equal(await client.get('key'), 'again')

  said('scan')
  const found = new Set()
  for await (const keys of client.scanIterator({ MATCH: 'pipelined:*', COUNT: 100 })) [keys].flat().forEach(key => found.add(key))
  equal(found.size, 500)
  return { RESP, client, other, subscriber, messageOn }
}

const inBoth = [await use(2), await use(3)]

step('reconnect')
await gatewayIsKilledAndStartedAgain()
for (const { RESP, client, messageOn } of inBoth) {
  equal(await within(20, client.get('key'), 'a read is answered'), 'again')
  const back = messageOn()
  await until(20, async () => await client.publish(`channel:${RESP}`, 'back') === 1, 'it has subscribed again')
  equal(await within(10, back, 'the message arrives'), `channel:${RESP} back`)
}

step('done')
for (const { client, other, subscriber } of inBoth) for (const each of [client, other, subscriber]) each.destroy()
