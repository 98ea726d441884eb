// Two ways for a page of any origin to read an account: a script element (JSONP), and fetch with CORS. Use fetch
// where you can: it has the key in a header, and learns why a call was refused. A script runs what the server
// sends, and its URL, with the key in it, is remembered by the browser and by what stands between.

const TIMEOUT = 10_000 // milliseconds
let calls = 0

const urlOf = (server, username) =>
  `${server.replace(/\/+$/, '')}/api/v1/${encodeURIComponent(username)}/account`

/** @returns {Promise<object>} the account; rejects with an Error that says only that there was none */
export function byJsonp(server, username, key) {
  const name = `account_${++calls}`
  const script = document.createElement('script')
  script.src = `${urlOf(server, username)}?${new URLSearchParams({ api_key: key, callback: name })}`
  script.referrerPolicy = 'no-referrer'
  return new Promise((resolve, reject) => {
    const refuse = () => reject(new Error('Refused, or no answer. A script cannot learn which: try fetch.'))
    window[name] = resolve
    script.onerror = refuse
    setTimeout(refuse, TIMEOUT)
    document.head.append(script)
  }).finally(() => {
    delete window[name]
    script.remove()
  })
}

/** @returns {Promise<object>} the account; rejects with an Error that says why there was none */
export async function byFetch(server, username, key) {
  let response
  try {
    response = await fetch(urlOf(server, username), {
      headers: { 'X-Api-Key': key },
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT),
    })
  } catch {
    throw new Error('No answer.')
  }
  const body = await response.json()
  if (response.ok) return body
  const wait = response.headers.get('Retry-After')
  throw new Error(wait ? `${body.error} Try again in ${wait} seconds.` : body.error)
}
