/**
 * What every contract shares: money, method policy, and Google's public messages for errors and raw bodies.
 * @module
 */
export { type HttpBody, HttpBodySchema } from './gen/google/api/httpbody_pb.ts'
export { type MethodPolicy, MethodPolicySchema, IdempotencyKey, policy } from './gen/plinth/rpc/v1/policy_pb.ts'
export { type Money, MoneySchema } from './gen/plinth/type/v1/money_pb.ts'
