// What the operator told: see README.rst for the commands.

export const config = {
  server: 'http://127.0.0.1:6543',
  clientId: 'CLIENT_ID',
  scope: 'profile_read',
}
