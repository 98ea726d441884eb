// The calls of the Bookie API that an extension needs. The key travels in a header, never in a URL, where it would
// end up in logs.

const LONGEST_WAIT = 60 // seconds; who is told to wait longer is told so at once

export class Refusal extends Error {
  /**
   * @param {string} message for people
   * @param {number} status of the answer; 0 if there was none
   */
  constructor(message, status) {
    super(message)
    this.status = status
  }
}

/** Where an account is and what opens it: `{ server, username, key }`, or null before the options are saved. */
export async function stored() {
  const { account } = await chrome.storage.local.get('account')
  return account ?? null
}

export async function store(account) {
  await chrome.storage.local.set({ account })
}

/** The address of a server as it is stored: without a final slash. Throws what `URL` throws for none. */
export function serverOf(text) {
  const url = new URL(text)
  if (!['http:', 'https:'].includes(url.protocol)) throw new TypeError('no web address')
  return (url.origin + url.pathname).replace(/\/+$/, '')
}

/** Which sites the browser has to let the extension talk to. */
export const permissionFor = (server) => ({ origins: [`${new URL(server).origin}/*`] })

/** The account: `{ username, name, email, signup, … }`. */
export const read = (account, waiting) => call(account, 'GET', 'account', waiting)

/** Whether the key is good; throws a Refusal if not. */
export const ping = (account, waiting) => call(account, 'GET', 'ping', waiting)

/** Replaces the key of the account; the new one is stored before this returns it. */
export async function replaceKey(account, waiting) {
  const { api_key: key } = await call(account, 'POST', 'api_key', waiting)
  const changed = { ...account, key }
  await store(changed)
  return changed
}

/**
 * One call; where the server is busy, again as soon as it says, once.
 *
 * @param {(seconds: number) => void} waiting is told how long
 * @throws {Refusal}
 */
async function call(account, method, name, waiting = () => {}, again = true) {
  const url = `${account.server}/api/v1/${encodeURIComponent(account.username)}/${name}`
  let response
  try {
    response = await fetch(url, { method, headers: { 'X-Api-Key': account.key }, credentials: 'omit' })
  } catch {
    throw new Refusal(`${account.server} does not answer.`, 0)
  }
  const seconds = Number(response.headers.get('Retry-After'))
  if ([429, 503].includes(response.status) && seconds > 0) {
    if (!again || seconds > LONGEST_WAIT) {
      throw new Refusal(`The server is busy; try again in ${seconds} seconds.`, response.status)
    }
    waiting(seconds)
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    return call(account, method, name, waiting, false)
  }
  const body = await response.json().catch(() => null)
  if (!response.ok || body === null) {
    throw new Refusal(reason(response, body), response.status)
  }
  return body
}

function reason(response, body) {
  const scope = response.headers.get('X-Accepted-Scope')
  if (response.status === 403 && scope) return `The key may not do that: it lacks the scope ${scope}.`
  if (response.status === 403 && body?.error === 'Deactivated account.') return 'The account is switched off.'
  if (response.status === 403) return 'The key is not good for this account. Make a new one and save it in the options.'
  return body?.error ?? `The server answered ${response.status}.`
}
