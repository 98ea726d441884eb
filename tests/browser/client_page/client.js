// A public client without any library: code with PKCE, then what its tokens are good for. It reads the server's
// metadata first, and says in the page what came of each call.

const here = location.origin + location.pathname
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

async function call(url, options) {
  try {
    const response = await fetch(url, options)
    const text = await response.text()
    return {
      status: response.status,
      body: text ? JSON.parse(text) : null,
      id: response.headers.get('X-Request-Id'),
    }
  } catch (error) {
    return { error: error.name }
  }
}

const post = (url, fields) =>
  call(url, { method: 'POST', body: new URLSearchParams({ ...fields, client_id: kept.client_id }) })

const query = Object.fromEntries(new URLSearchParams(location.search))
const kept = JSON.parse(sessionStorage.getItem('kept') ?? 'null') ?? query

async function describe() {
  const { body } = await call(`${kept.server}/.well-known/oauth-authorization-server/api/v1.1/o`)
  return body
}

async function begin() {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)))
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  const state = base64url(crypto.getRandomValues(new Uint8Array(16)))
  sessionStorage.setItem('kept', JSON.stringify({ ...query, verifier, state }))
  const { authorization_endpoint } = await describe()
  location.href = `${authorization_endpoint}?${new URLSearchParams({
    response_type: 'code',
    client_id: query.client_id,
    redirect_uri: here,
    scope: 'profile_read',
    state,
    code_challenge: base64url(digest),
    code_challenge_method: 'S256',
  })}`
}

async function finish() {
  const metadata = await describe()
  const read = (token) =>
    call(`${kept.server}/api/v1.1/users/${kept.username}/`, { headers: { Authorization: `Bearer ${token}` } })
  const said = {
    sameState: query.state === kept.state,
    sameIssuer: query.iss === metadata.issuer,
    authorize: await call(metadata.authorization_endpoint),
  }
  said.wrong = await post(metadata.token_endpoint, { grant_type: 'authorization_code', code: 'x', redirect_uri: here })
  said.first = await post(metadata.token_endpoint, {
    grant_type: 'authorization_code',
    code: query.code,
    redirect_uri: here,
    code_verifier: kept.verifier,
  })
  said.user = await read(said.first.body?.access_token)
  said.second = await post(metadata.token_endpoint, {
    grant_type: 'refresh_token',
    refresh_token: said.first.body?.refresh_token,
  })
  said.revoked = await post(metadata.revocation_endpoint, { token: said.second.body?.refresh_token })
  said.after = await read(said.second.body?.access_token)
  document.querySelector('#said').textContent = JSON.stringify(said)
}

await ('code' in query ? finish() : begin())
