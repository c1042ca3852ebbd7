/**
 * A payment provider to develop and test against.
 * @module
 */
export {
  answerLost,
  createProvider,
  type Provider,
  type ProviderDeps,
  type ProviderOperation,
  type ProviderOptions,
  type ProviderRequest,
  type ProviderWebhook,
  providerMigrations,
  testCards,
} from './provider.ts'
