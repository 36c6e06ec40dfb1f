// JSON Web Tokens as the apps' own backend would issue them: HS256, signed with the secret that the test servers get.

import { createHmac } from 'node:crypto'

export const SECRET = 'end-to-end-tests-only-0123456789abcdef'

const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** Claims: `sub`, `role`, `email`, `first_name`, `last_name`, …; `exp` is an hour from now unless it is among them. */
export function sign(claims, secret = SECRET) {
  const inAnHour = Math.floor(Date.now() / 1000) + 3600
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ exp: inAnHour, ...claims })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
