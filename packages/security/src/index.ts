/**
 * Passwords, tokens and keys: what proves who somebody is.
 * @module
 */
export {
  type AccessClaims,
  type AccessTokenSigner,
  type AccessTokenSignerOptions,
  createAccessTokenSigner,
  createAccessTokenVerifier,
  type TokenRealm,
  type TokenVerifier,
  type TokenVerifierOptions,
} from './access-token.ts'
export {
  type AuthenticatedCaller,
  type BearerAuthenticator,
  createBearerAuthenticator,
} from './bearer-authenticator.ts'
export { equalInConstantTime } from './constant-time.ts'
export { createFileKeyStore } from './file-key-store.ts'
export { createJwksSource, type JwksSourceOptions } from './jwks-source.ts'
export { type KeyRing, type KeyRingOptions, type KeySource, openKeyRing } from './key-ring.ts'
export { createMemoryKeyStore, type KeyChange, type KeyStore } from './key-store.ts'
export { createOpaqueToken, hashOpaqueToken, openForHolder, sealForHolder } from './opaque-token.ts'
export {
  createPasswordHasher,
  type PasswordCheck,
  type PasswordHasher,
  type PasswordHasherOptions,
} from './password-hasher.ts'
export {
  defaultPasswordParameters,
  formatPasswordHash,
  type PasswordHash,
  type PasswordParameters,
  parsePasswordHash,
} from './password-parameters.ts'
export { createRevocationList, type RevocationList, type RevocationListOptions } from './revocation-list.ts'
export {
  createServiceTokens,
  type ServiceClaims,
  type ServiceTokens,
  type ServiceTokensOptions,
} from './service-token.ts'
export { createSigningKey, type PublicJwk, publicJwkOf, type StoredKey } from './signing-key.ts'
export { createWebhookSigner, type WebhookSigner, type WebhookSignerOptions } from './webhook-signer.ts'
