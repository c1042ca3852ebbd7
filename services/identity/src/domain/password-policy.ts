import type { Email } from './email.ts'

// Code points: characters as a person counts them.
const passwordChars = { min: 10, max: 256 } as const

/** Why a password is not taken. */
export type PasswordRefusal = {
  readonly refused: 'password_weak'
  readonly why: 'too_short' | 'too_long' | 'like_email' | 'too_common' | 'too_uniform'
}

// The most used passwords of ten characters and more, of the lists that SecLists collects; shorter ones fail by
// length. A long list belongs into a breach check behind a port, this one stops the first guesses of any attacker.
const common = new Set([
  '1234567890',
  '12345678910',
  '0123456789',
  '0987654321',
  '1q2w3e4r5t',
  '1q2w3e4r5t6y',
  '1qaz2wsx3edc',
  'qwertyuiop',
  'qwerty12345',
  'qwerty123456',
  'qwerty1234',
  'password12',
  'password123',
  'password1234',
  'password12345',
  'passw0rd123',
  'p@ssw0rd123',
  'p@ssword123',
  'passwordpassword',
  'mypassword',
  'mypassword1',
  'letmein123',
  'letmein1234',
  'iloveyou123',
  'iloveyou12',
  'iloveyou1234',
  'welcome123',
  'welcome1234',
  'admin12345',
  'admin123456',
  'administrator',
  'changeme123',
  'abcdefghij',
  'abcdefghijk',
  'abcd1234567',
  'abc1234567',
  'abcde12345',
  'football123',
  'baseball123',
  'basketball',
  'sunshine123',
  'princess123',
  'superman123',
  'monkey12345',
  'dragon12345',
  'michael123',
  'liverpool1',
  'manchester',
  'trustno1trustno1',
  'asdfghjkl1',
  'asdfghjkl123',
  'zxcvbnm123',
  'zaq12wsx12',
  '123456789a',
  '123456789q',
  'a123456789',
  'q123456789',
  'qazwsxedcrfv',
  '1111111111',
  '1212121212',
  '123123123123',
  '123412341234',
  '1234512345',
  '9876543210',
  '147258369a',
  '7777777777',
  'secret1234',
  'testtest123',
  'test123456',
  'computer123',
  'internet123',
  'samsung123',
  'google1234',
  'facebook123',
  'starwars123',
  'whatever123',
  'helloworld',
  'hello12345',
  'correcthorsebatterystaple',
])

const distinctMin = 4

/**
 * Says why a password is too weak for this account. Length is what counts (NIST SP 800-63B, section 5.1.1.2), so
 * there is no demand for digits or signs.
 */
export function checkPassword(password: string, email: Email): PasswordRefusal | undefined {
  const folded = password.normalize('NFC').toLowerCase()
  const chars = [...folded]
  const weak = (why: PasswordRefusal['why']): PasswordRefusal => ({ refused: 'password_weak', why })
  if (chars.length < passwordChars.min) return weak('too_short')
  if (chars.length > passwordChars.max) return weak('too_long')
  if (folded === email || folded === email.slice(0, email.lastIndexOf('@'))) return weak('like_email')
  if (common.has(folded)) return weak('too_common')
  if (new Set(chars).size < distinctMin) return weak('too_uniform')
  return undefined
}
