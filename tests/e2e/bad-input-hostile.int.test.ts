import { describeHostile } from './harness/describe-hostile.ts'
import { openShop } from './harness/shop.ts'

describeHostile('SQLite', () => openShop({ settings: ['rpc.deadlineMs=15s'] }))
