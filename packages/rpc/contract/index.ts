/**
 * What every contract shares: money, method policy, and Google's public messages for errors and raw bodies.
 * @module
 */

/** What is written in these contracts, for the API reference. */
export { default as sharedComments } from './gen/comments.json' with { type: 'json' }
export { type HttpBody, HttpBodySchema } from './gen/google/api/httpbody_pb.ts'
export { IdempotencyKey, type MethodPolicy, MethodPolicySchema, policy } from './gen/plinth/rpc/v1/policy_pb.ts'
export { type Money, MoneySchema } from './gen/plinth/type/v1/money_pb.ts'
