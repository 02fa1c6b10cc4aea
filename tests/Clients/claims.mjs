// What the scripts of the Node.js clients have in common.
import assert from 'node:assert/strict'
import { once } from 'node:events'

export const port = Number(process.argv[2])

/** Says what is tried next: the last line tells where it stopped. */
export const step = name => console.log(name)

export const equal = (actual, expected) => assert.deepStrictEqual(actual, expected)

/** Waits for something that comes by itself. */
export async function within(seconds, promise, claim) {
  let timer
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`Not within ${seconds} s: ${claim}`)), seconds * 1000) })
  try { return await Promise.race([promise, late]) } finally { clearTimeout(timer) }
}

/** Repeats something until its result is true. */
export async function until(seconds, attempt, claim) {
  const deadline = Date.now() + seconds * 1000
  while (!(await attempt())) {
    if (Date.now() > deadline) throw new Error(`Not within ${seconds} s: ${claim}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** Has the gateway killed and started again. */
export async function gatewayIsKilledAndStartedAgain() {
  console.log('now')
  await once(process.stdin, 'data')
  process.stdin.unref()
}
