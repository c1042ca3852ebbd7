import type { Random } from '@plinth/base'
import { createOpaqueToken, hashOpaqueToken, openForHolder, sealForHolder } from '@plinth/security'
import type { OpaqueTokens } from '../usecases/ports.ts'

const purpose = 'identity.refresh.successor'

/** Opaque tokens by the security package. */
export function createOpaqueTokens(random: Random): OpaqueTokens {
  return {
    create: (prefix) => createOpaqueToken(random, prefix),
    hash: hashOpaqueToken,
    seal: (token, plain) => sealForHolder(token, plain, { purpose, random }),
    open: (token, sealed) => openForHolder(token, sealed, { purpose }),
  }
}
