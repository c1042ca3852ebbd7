/**
 * Names whose values are never written, wherever they stand: compared in lower case without `-`, `_`, `.` and
 * spaces, whole or as the end of a longer name (`db_password`, `x-csrf-token`).
 */
export const deniedNames: readonly string[] = [
  'authorization',
  'cookie',
  'cookies',
  'password',
  'passwords',
  'passwd',
  'passphrase',
  'pwd',
  'secret',
  'secrets',
  'token',
  'tokens',
  'apikey',
  'accesskey',
  'privatekey',
  'signingkey',
  'credential',
  'credentials',
  'jwt',
  'cvv',
  'cvc',
  'cardnumber',
  'iban',
  'ssn',
]

/** What stands in place of a denied value. */
export const redacted = '[redacted]'

/** Makes the test of a name: the built-in list and the caller's additions. */
export function createNameFilter(additional: readonly string[] = []): (name: string) => boolean {
  const endings = [...new Set([...deniedNames, ...additional].map(normalise))].filter((ending) => ending !== '')
  return (name) => {
    const plain = normalise(name)
    return endings.some((ending) => plain.endsWith(ending))
  }
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[-_.\s]/g, '')
}
