import { compareOutcomes } from './compare-outcomes.ts'
import { describeShop } from './describe-shop.ts'
import { layouts, openTopology } from './open-topology.ts'

compareOutcomes(
  'the shop on SQLite',
  Object.entries(layouts).map(([name, layout]) => ({
    name,
    outcomes: describeShop(`the shop on SQLite in ${name}`, () => openTopology({ layout })),
  })),
)
