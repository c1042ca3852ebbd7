import { describeHostileInput } from './hostile-input.suite.ts'
import { sqlite } from './place.fixture.ts'
import { describeRefresh } from './refresh.suite.ts'
import { describeSignIn } from './sign-in.suite.ts'
import { describeUsers } from './users.suite.ts'

describeSignIn(sqlite)
describeRefresh(sqlite, { sessions: 200 })
describeUsers(sqlite)
describeHostileInput(sqlite)
