import { config } from './config.js'
import { account, comeBack, signIn, signOut, username } from './oauth.js'

const at = (id) => document.querySelector(`#${id}`)

async function show() {
  await comeBack()
  if (username() === undefined) {
    const unprepared = config.clientId === 'CLIENT_ID'
    at('said').textContent = unprepared ? 'Put a client_id into config.js: see README.rst.' : 'Nobody is signed in.'
    return
  }
  const user = await account()
  at('said').textContent = `Hello ${user.full_name || user.username}.`
  at('account').textContent = JSON.stringify(user, null, 2)
}

/** Runs what a person asked for; what goes wrong is said. */
async function run(action) {
  try {
    await action()
  } catch (error) {
    const unanswered = error instanceof TypeError
    at('said').textContent = unanswered ? `${config.server} does not answer, or does not let this page in.` : error.message
    at('account').textContent = ''
  }
  const somebody = username() !== undefined
  at('sign-in').hidden = somebody
  at('sign-out').hidden = !somebody
  at('account').hidden = !at('account').textContent
}

at('sign-in').addEventListener('click', () => run(signIn))
at('sign-out').addEventListener('click', () =>
  run(async () => {
    await signOut()
    at('account').textContent = ''
    at('said').textContent = 'Signed out.'
  }),
)
await run(show)
document.body.dataset.ready = 'yes'
