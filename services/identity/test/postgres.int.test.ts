import { describe, it } from 'node:test'
import { describeHostileInput } from './hostile-input.suite.ts'
import { postgres } from './place.fixture.ts'
import { describeRefresh } from './refresh.suite.ts'
import { describeSignIn } from './sign-in.suite.ts'
import { describeUsers } from './users.suite.ts'

const url = process.env.PLINTH_TEST_POSTGRES_URL

describe('identity on PostgreSQL', () => {
  if (url === undefined) {
    it('is not run', { skip: 'PLINTH_TEST_POSTGRES_URL is not set' })
    return
  }
  const engine = postgres(url)
  describeSignIn(engine)
  // Units that lose a race run again there, so the same race costs many times what it costs in one process.
  describeRefresh(engine, { sessions: 48 })
  describeUsers(engine)
  describeHostileInput(engine)
})
