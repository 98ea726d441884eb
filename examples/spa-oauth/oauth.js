// OAuth 2.0 for a page without a server of its own: authorization code with PKCE (RFC 7636), from the server's
// metadata (RFC 8414). Tokens stay in this tab's memory and session storage, and end when it signs out.

import { config } from './config.js'

const KEPT = 'oauth'
const here = location.origin + location.pathname

const kept = () => JSON.parse(sessionStorage.getItem(KEPT) ?? '{}')
const keep = (value) => sessionStorage.setItem(KEPT, JSON.stringify(value))

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)))

let known
const metadata = async () =>
  (known ??= await json(await fetch(`${config.server}/.well-known/oauth-authorization-server/api/v1.1/o`)))

async function json(response) {
  const body = await response.json()
  if (!response.ok) {
    throw new Error(body.error_description ?? body.detail ?? body.error ?? `The server answered ${response.status}.`)
  }
  return body
}

/** Leaves this page for the server's, where people sign in and allow or deny. */
export async function signIn() {
  const [verifier, state] = [random(), random()]
  const challenge = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  keep({ verifier, state })
  const { authorization_endpoint: endpoint } = await metadata()
  location.assign(
    `${endpoint}?${new URLSearchParams({
      response_type: 'code',
      client_id: config.clientId,
      redirect_uri: here,
      scope: config.scope,
      state,
      code_challenge: base64url(challenge),
      code_challenge_method: 'S256',
    })}`,
  )
}

/**
 * Takes up what the server sent along when it sent people back, and takes it out of the address.
 *
 * @throws {Error} it was denied, or is not the answer to what this tab asked for
 */
export async function comeBack() {
  const answer = new URLSearchParams(location.search)
  if (!answer.has('state')) return
  history.replaceState(null, '', here)
  const { verifier, state } = kept()
  sessionStorage.removeItem(KEPT)
  const { issuer } = await metadata()
  if (!state || answer.get('state') !== state || answer.get('iss') !== issuer) {
    throw new Error('That is no answer to a question of this page. Sign in again.')
  }
  if (answer.has('error')) throw new Error(answer.get('error') === 'access_denied' ? 'You said no.' : answer.get('error'))
  await take({ grant_type: 'authorization_code', code: answer.get('code'), redirect_uri: here, code_verifier: verifier })
}

async function take(fields) {
  const { token_endpoint: endpoint } = await metadata()
  const body = new URLSearchParams({ ...fields, client_id: config.clientId })
  const tokens = await json(await fetch(endpoint, { method: 'POST', body }))
  keep({ access: tokens.access_token, refresh: tokens.refresh_token, username: tokens.username })
}

/** Who is signed in here; undefined for nobody. */
export const username = () => kept().username

/**
 * The account; an access token that has run out is replaced once.
 *
 * @throws {Error} with what the server says
 */
export async function account(again = true) {
  const { access, refresh, username } = kept()
  const response = await fetch(`${config.server}/api/v1.1/users/${encodeURIComponent(username)}/`, {
    headers: { Authorization: `Bearer ${access}` },
  })
  if (response.status === 401 && again) {
    try {
      await take({ grant_type: 'refresh_token', refresh_token: refresh })
    } catch {
      sessionStorage.removeItem(KEPT)
      throw new Error('Your access has ended. Sign in again.')
    }
    return account(false)
  }
  return json(response)
}

/** Ends the grant at the server, and forgets it here. */
export async function signOut() {
  const { refresh } = kept()
  sessionStorage.removeItem(KEPT)
  const { revocation_endpoint: endpoint } = await metadata()
  await fetch(endpoint, { method: 'POST', body: new URLSearchParams({ token: refresh, client_id: config.clientId }) })
}
