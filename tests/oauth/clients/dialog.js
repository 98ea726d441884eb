// What a client says to the test that runs it, and hears from it: JSON, one value a line.

import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

export async function hear() {
  const { value, done } = await lines.next()
  if (done) throw new Error('the test has gone')
  return JSON.parse(value)
}

export function say(value) {
  console.log(JSON.stringify(value))
}

/** Say what came of it; the test compares. */
export function finish(value) {
  say(value)
  process.exit(0)
}

/** The status of the account's own resource, with an access token. */
export async function statusOf(resource, token) {
  const response = await fetch(resource, { headers: { authorization: `Bearer ${token}` } })
  return response.status
}
