import { sqlite } from './place.fixture.ts'
import { describeRefresh } from './refresh.suite.ts'
import { describeSignIn } from './sign-in.suite.ts'
import { describeUsers } from './users.suite.ts'

describeSignIn(sqlite)
describeRefresh(sqlite)
describeUsers(sqlite)
