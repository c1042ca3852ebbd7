import { Secret } from '@plinth/base'
import type { Email } from '../domain/email.ts'
import type { Mail } from './ports.ts'

export function verificationMail(to: Email, token: Secret): Mail {
  return {
    to,
    subject: 'Confirm your address',
    text: new Secret(
      `Somebody, probably you, opened an account with this address.\n\n` +
        `To confirm it, use this token (POST /v1/auth/verify-email):\n\n${token.reveal()}\n\n` +
        `If it was not you, ignore this mail and tell the token to nobody.\n`,
    ),
  }
}

export function alreadyRegisteredMail(to: Email): Mail {
  return {
    to,
    subject: 'You already have an account',
    text: new Secret(
      'Somebody, probably you, tried to open an account with this address. There is one already: sign in.\n\n' +
        'If it was not you, there is nothing to do. Your account did not change.\n',
    ),
  }
}
