import assert from 'node:assert/strict'
import { errorLines } from './program.ts'
import type { Answer } from './rest.ts'
import type { Shop } from './shop.ts'

/** What is wrong with an answer to a bad request, or undefined when it is a proper refusal (RFC 9457). */
export function flawOf(answer: Answer, field?: string): string | undefined {
  const { status, headers, json, text } = answer
  if (status < 400 || status > 499) return `status ${status}: ${text.slice(0, 200)}`
  if (headers.get('content-type') !== 'application/problem+json') return `content type ${headers.get('content-type')}`
  for (const name of ['type', 'title', 'detail', 'code']) {
    if (typeof json?.[name] !== 'string' || json[name] === '') return `no ${name} in ${text.slice(0, 200)}`
  }
  if (json.status !== status) return `status ${json.status} in a body that came with ${status}`
  if (field === undefined) return undefined
  const named = (json.violations ?? []).map((violation: { field: string }) => violation.field)
  return named.includes(field) ? undefined : `names ${JSON.stringify(named)} (${json.code}), not ${field}`
}

/** Runs checks, so many at once, and fails with all flaws found. */
export async function assertNoFlaws(
  checks: readonly { readonly name: string; run(): Promise<string | undefined> }[],
  { atOnce = 16 }: { readonly atOnce?: number } = {},
): Promise<void> {
  const flaws: string[] = []
  const queue = checks.values()
  const work = async () => {
    for (const { name, run } of queue) {
      const flaw = await run().catch((error: unknown) => `no answer: ${error}`)
      if (flaw !== undefined) flaws.push(`${name}: ${flaw}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  assert.equal(flaws.length, 0, `${flaws.length} of ${checks.length}:\n${flaws.slice(0, 60).join('\n')}`)
  assert.ok(checks.length > 0, 'nothing was checked')
}

/** The server still serves, nothing failed inside, and no answer was a 5xx. */
export async function assertUnharmed(shop: Shop): Promise<void> {
  const { program, rest, operator } = shop
  assert.equal((await rest('/v1/products')).status, 200)
  assert.equal((await rest('/v1/me', { token: operator.token })).status, 200)
  assert.equal((await fetch(`${program.admin}/readyz`)).status, 200)
  assert.deepEqual(errorLines(program), [])
}
