import { createHash, randomBytes } from 'node:crypto'
import { AuthorizationCode } from 'simple-oauth2'
import { finish, hear, say, statusOf } from './dialog.js'

const settings = await hear()
const issuer = new URL(settings.issuer)
const client = new AuthorizationCode({
  client: { id: settings.client_id, secret: settings.client_secret },
  auth: {
    tokenHost: issuer.origin,
    authorizePath: `${issuer.pathname}/authorize/`,
    tokenPath: `${issuer.pathname}/token/`,
    revokePath: `${issuer.pathname}/revoke/`,
  },
  options: {
    authorizationMethod: settings.method === 'client_secret_basic' ? 'header' : 'body',
    bodyFormat: settings.body,
    credentialsEncodingMode: settings.encoding,
  },
})

const verifier = randomBytes(32).toString('base64url')
const url = client.authorizeURL({
  redirect_uri: settings.redirect_uri,
  scope: settings.scope,
  state: 'a state',
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
})
say(url)

const back = new URL(await hear())
const first = await client.getToken({
  code: back.searchParams.get('code'),
  redirect_uri: settings.redirect_uri,
  code_verifier: verifier,
})
const user = await fetch(settings.resource, {
  headers: { authorization: `Bearer ${first.token.access_token}` },
})
const second = await first.refresh()
const living = await statusOf(settings.resource, second.token.access_token)
await second.revoke('refresh_token')
finish({
  first: first.token,
  user: await user.json(),
  second: second.token,
  introspected: null,
  replaced: await statusOf(settings.resource, first.token.access_token),
  living,
  revoked: await statusOf(settings.resource, second.token.access_token),
})
