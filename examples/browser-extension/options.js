import { permissionFor, ping, serverOf, store, stored } from './account.js'

const form = document.querySelector('form')
const fields = form.elements
const said = document.querySelector('#said')
const keys = document.querySelector('#keys')
const button = form.querySelector('button')

function say(text, bad = false) {
  said.textContent = text
  said.classList.toggle('bad', bad)
}

function linkToKeys() {
  try {
    keys.href = `${serverOf(fields.server.value)}/keys`
  } catch {
    keys.removeAttribute('href')
  }
}

async function save() {
  const account = {
    server: serverOf(fields.server.value),
    username: fields.username.value.trim(),
    key: fields.key.value.trim(),
  }
  // Asked for at the press of the button, and for this server alone.
  if (!(await chrome.permissions.request(permissionFor(account.server)))) {
    throw new Error('Without permission for that site nothing can be read from it.')
  }
  await ping(account, (seconds) => say(`The server is busy; trying again in ${seconds} seconds…`))
  await store(account)
  say(`Saved. ${account.username} is known at ${account.server}.`)
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  button.disabled = true
  say('Checking…')
  try {
    await save()
  } catch (error) {
    say(error.message, true)
  } finally {
    button.disabled = false
  }
})

document.querySelector('#forget').addEventListener('click', async () => {
  const account = await stored()
  await chrome.storage.local.remove('account')
  if (account) await chrome.permissions.remove(permissionFor(account.server)).catch(() => false)
  form.reset()
  linkToKeys()
  say('Forgotten here. End the key on the server’s page as well.')
})

fields.server.addEventListener('input', linkToKeys)

const account = await stored()
if (account) {
  for (const name of ['server', 'username', 'key']) fields[name].value = account[name]
  linkToKeys()
}
form.dataset.ready = 'yes'
