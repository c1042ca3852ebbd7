import { describe } from 'node:test'
import { adminSentences } from './admin-sentences.ts'
import type { BusCapabilities, BusFixture } from './bus-fixture.ts'
import { deadLetterSentences } from './dead-letter-sentences.ts'
import { deliverySentences } from './delivery-sentences.ts'
import { publishSentences } from './publish-sentences.ts'
import { restartSentences } from './restart-sentences.ts'
import { retrySentences } from './retry-sentences.ts'

/**
 * The contract of the bus port: every adapter runs it. `open` makes a fresh, empty bus each time. What an adapter
 * cannot do it names in `capabilities`; those tests are skipped with the reason.
 */
export function describeBus(name: string, open: () => Promise<BusFixture>, capabilities: BusCapabilities): void {
  describe(`Bus: ${name}`, { timeout: 60_000 }, () => {
    publishSentences(open)
    deliverySentences(open)
    retrySentences(open)
    deadLetterSentences(open)
    adminSentences(open)
    restartSentences(open, capabilities)
  })
}
