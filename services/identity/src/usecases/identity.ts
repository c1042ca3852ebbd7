import { createChangePassword } from './change-password.ts'
import { createEnsureOperator } from './ensure-operator.ts'
import { createLogin } from './login.ts'
import type { IdentityDeps } from './ports.ts'
import { createRefresh } from './refresh.ts'
import { createRegister } from './register.ts'
import {
  createListRevocations,
  createListSessions,
  createLogout,
  createRevokeSession,
  createRevokeSessions,
} from './sessions.ts'
import { createSweep } from './sweep.ts'
import {
  createCreateUser,
  createDeleteUser,
  createGetUser,
  createListUsers,
  createSetRoles,
  createUnlockUser,
  createUpdateUser,
} from './users.ts'
import { createResendVerification, createVerifyEmail } from './verify-email.ts'

/** Everything that can be asked of identity. */
export type Identity = ReturnType<typeof createIdentity>

export function createIdentity(deps: IdentityDeps) {
  return {
    register: createRegister(deps),
    verifyEmail: createVerifyEmail(deps),
    resendVerification: createResendVerification(deps),
    login: createLogin(deps),
    refresh: createRefresh(deps),
    logout: createLogout(deps),
    listSessions: createListSessions(deps),
    revokeSession: createRevokeSession(deps),
    revokeSessions: createRevokeSessions(deps),
    listRevocations: createListRevocations(deps),
    changePassword: createChangePassword(deps),
    createUser: createCreateUser(deps),
    getUser: createGetUser(deps),
    listUsers: createListUsers(deps),
    updateUser: createUpdateUser(deps),
    deleteUser: createDeleteUser(deps),
    setRoles: createSetRoles(deps),
    unlockUser: createUnlockUser(deps),
    ensureOperator: createEnsureOperator(deps),
    sweep: createSweep(deps),
  }
}
