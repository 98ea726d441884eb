import * as client from 'openid-client'
import { finish, hear, say, statusOf } from './dialog.js'

const settings = await hear()
const authentication = {
  client_secret_basic: client.ClientSecretBasic,
  client_secret_post: client.ClientSecretPost,
  none: client.None,
}[settings.method]
const config = await client.discovery(
  new URL(settings.issuer),
  settings.client_id,
  undefined,
  authentication(settings.client_secret),
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
)

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: settings.redirect_uri,
  scope: settings.scope,
  state,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
say(url.href)

const back = new URL(await hear())
const checks = { pkceCodeVerifier: verifier, expectedState: state }
const first = await client.authorizationCodeGrant(config, back, checks)
const user = await client.fetchProtectedResource(
  config,
  first.access_token,
  new URL(settings.resource),
  'GET',
)
const second = await client.refreshTokenGrant(config, first.refresh_token)
const introspected =
  settings.method === 'none' ? null : await client.tokenIntrospection(config, second.access_token)
const living = await statusOf(settings.resource, second.access_token)
await client.tokenRevocation(config, second.refresh_token)
finish({
  first,
  user: await user.json(),
  second,
  introspected,
  replaced: await statusOf(settings.resource, first.access_token),
  living,
  revoked: await statusOf(settings.resource, second.access_token),
})
