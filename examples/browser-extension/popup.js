import { read, replaceKey, stored } from './account.js'

const at = (id) => document.querySelector(`#${id}`)
const said = at('said')

function say(text, bad = false) {
  said.textContent = text
  said.classList.toggle('bad', bad)
}

const waiting = (seconds) => say(`The server is busy; trying again in ${seconds} seconds…`)

async function show() {
  const account = await stored()
  if (!account) {
    say('Say in the options where your account is.')
    return
  }
  const user = await read(account, waiting)
  at('name').textContent = user.name ?? user.username
  for (const field of ['username', 'email']) at(field).textContent = user[field]
  at('signup').textContent = user.signup?.slice(0, 10) ?? 'unknown'
  at('account').hidden = at('replace').hidden = false
  say('')
}

async function replace() {
  await replaceKey(await stored(), waiting)
  say('The key was replaced; the old one is dead.')
}

/** Runs what a person asked for; what goes wrong is said. */
async function run(action) {
  at('replace').disabled = true
  try {
    await action()
  } catch (error) {
    say(error.message, true)
  } finally {
    at('replace').disabled = false
  }
}

at('options').addEventListener('click', () => chrome.runtime.openOptionsPage())
at('replace').addEventListener('click', () => run(replace))
await run(show)
document.body.dataset.ready = 'yes'
