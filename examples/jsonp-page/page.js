import { byFetch, byJsonp } from './account.js'

const ways = { jsonp: byJsonp, fetch: byFetch }
const said = document.querySelector('#said')
const shown = document.querySelector('#account')

document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const { server, username, key } = Object.fromEntries(new FormData(event.target))
  said.textContent = 'Asking…'
  shown.hidden = true
  try {
    const account = await ways[event.submitter.value](server, username, key)
    said.textContent = `This is ${account.name ?? account.username}.`
    shown.textContent = JSON.stringify(account, null, 2)
    shown.hidden = false
  } catch (error) {
    said.textContent = error.message
  }
})
