import * as oauth from 'oauth4webapi'
import { finish, hear, say, statusOf } from './dialog.js'

const settings = await hear()
const insecure = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(settings.issuer)
const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
)
const client = { client_id: settings.client_id }
const authentication = {
  client_secret_basic: oauth.ClientSecretBasic,
  client_secret_post: oauth.ClientSecretPost,
  none: oauth.None,
}[settings.method](settings.client_secret)

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const url = new URL(server.authorization_endpoint)
url.search = new URLSearchParams({
  client_id: client.client_id,
  response_type: 'code',
  redirect_uri: settings.redirect_uri,
  scope: settings.scope,
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
say(url.href)

const parameters = oauth.validateAuthResponse(server, client, new URL(await hear()), state)
const first = await oauth.processAuthorizationCodeResponse(
  server,
  client,
  await oauth.authorizationCodeGrantRequest(
    server,
    client,
    authentication,
    parameters,
    settings.redirect_uri,
    verifier,
    insecure,
  ),
)
const user = await oauth.protectedResourceRequest(
  first.access_token,
  'GET',
  new URL(settings.resource),
  undefined,
  undefined,
  insecure,
)
const second = await oauth.processRefreshTokenResponse(
  server,
  client,
  await oauth.refreshTokenGrantRequest(server, client, authentication, first.refresh_token, insecure),
)
let introspected = null
if (settings.method !== 'none') {
  introspected = await oauth.processIntrospectionResponse(
    server,
    client,
    await oauth.introspectionRequest(server, client, authentication, second.access_token, insecure),
  )
}
const living = await statusOf(settings.resource, second.access_token)
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, authentication, second.refresh_token, insecure),
)
finish({
  first,
  user: await user.json(),
  second,
  introspected,
  replaced: await statusOf(settings.resource, first.access_token),
  living,
  revoked: await statusOf(settings.resource, second.access_token),
})
