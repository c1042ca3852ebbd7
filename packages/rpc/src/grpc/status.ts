import { create, fromBinary, fromJson, type JsonObject, toBinary, toJson } from '@bufbuild/protobuf'
import { anyPack, anyUnpack, StructSchema } from '@bufbuild/protobuf/wkt'
import { Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js'
import {
  type ErrorDetails,
  type ErrorKind,
  errorKinds,
  type FieldViolation,
  isErrorKind,
  PlatformError,
} from '@plinth/base'
import { cancelledError, deadlineError } from '@plinth/concurrency'
import {
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '../../contract/gen/google/rpc/error_details_pb.ts'
import { type Status, StatusSchema } from '../../contract/gen/google/rpc/status_pb.ts'
import { transferFault } from '../faults.ts'

const domain = 'plinth'
const detailsKey = 'grpc-status-details-bin'

/**
 * A fault as gRPC sends it: the status code of its kind, and `google.rpc.Status` in the trailers with `ErrorInfo`
 * (reason is the code), `BadRequest` for violations, `RetryInfo` for the retry hint, and a `Struct` with the rest.
 */
export function faultToStatus(thrown: unknown): StatusObject {
  const fault = transferFault(thrown)
  const { violations, ...facts } = fault.details
  const details = [
    anyPack(
      ErrorInfoSchema,
      create(ErrorInfoSchema, {
        reason: fault.code,
        domain,
        metadata: { kind: fault.kind, retryable: String(fault.retryable) },
      }),
    ),
  ]
  if (violations) {
    const fieldViolations = violations.map(({ field, rule, message }) => ({
      field,
      reason: rule,
      description: message,
    }))
    details.push(anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations })))
  }
  if (fault.retryAfterMs !== undefined) {
    const wholeMs = Math.max(0, Math.round(fault.retryAfterMs))
    const retryDelay = { seconds: BigInt(Math.floor(wholeMs / 1000)), nanos: (wholeMs % 1000) * 1_000_000 }
    details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })))
  }
  if (Object.keys(facts).length > 0) {
    details.push(anyPack(StructSchema, fromJson(StructSchema, facts as JsonObject)))
  }
  const code = errorKinds[fault.kind].grpc
  const status = create(StatusSchema, { code, message: fault.message, details })
  const metadata = new Metadata()
  metadata.set(detailsKey, Buffer.from(toBinary(StatusSchema, status)))
  return { code, details: fault.message, metadata }
}

/** The fault behind a failed call: ours comes back as it was thrown, any other peer's by its status code. */
export function statusToFault(error: ServiceError): PlatformError {
  const status = decodeStatus(error)
  if (status) {
    const own = ownFault(status)
    if (own) return own
  }
  return foreignFault(error, status)
}

function decodeStatus(error: ServiceError): Status | undefined {
  const [bytes] = error.metadata?.get(detailsKey) ?? []
  if (!(bytes instanceof Uint8Array)) return undefined
  try {
    return fromBinary(StatusSchema, bytes)
  } catch {
    // A peer that sends garbage as details still has sent a status code; that one is used.
    return undefined
  }
}

interface Unpacked {
  info?: ErrorInfo
  violations?: FieldViolation[]
  retryAfterMs?: number
  facts?: JsonObject
}

function unpack(status: Status): Unpacked {
  const found: Unpacked = {}
  for (const any of status.details) {
    try {
      const info = anyUnpack(any, ErrorInfoSchema)
      if (info) found.info = info
      const bad = anyUnpack(any, BadRequestSchema)
      if (bad) {
        found.violations = bad.fieldViolations.map((v) => ({ field: v.field, rule: v.reason, message: v.description }))
      }
      const delay = anyUnpack(any, RetryInfoSchema)?.retryDelay
      if (delay) found.retryAfterMs = Number(delay.seconds) * 1000 + delay.nanos / 1e6
      const facts = anyUnpack(any, StructSchema)
      if (facts) found.facts = toJson(StructSchema, facts) as JsonObject
    } catch {
      // One detail that does not decode takes nothing from the others.
    }
  }
  return found
}

function ownFault(status: Status): PlatformError | undefined {
  const { info, violations, retryAfterMs, facts } = unpack(status)
  const kind = info?.metadata.kind
  if (info?.domain !== domain || !isErrorKind(kind)) return undefined
  return new PlatformError(status.message, {
    kind,
    code: info.reason,
    retryable: info.metadata.retryable === 'true',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    details: { ...facts, ...(violations === undefined ? {} : { violations }) } as ErrorDetails,
  })
}

/** Status codes of gRPC that no kind of ours maps to. */
const foreignKinds: ReadonlyMap<number, ErrorKind> = new Map([
  ...Object.entries(errorKinds).map(([kind, facts]) => [facts.grpc, kind as ErrorKind] as const),
  [2, 'internal'],
  [9, 'precondition'],
  [11, 'invalid'],
  [15, 'internal'],
])

const foreignCodes: ReadonlyMap<ErrorKind, string> = new Map([
  ['unavailable', 'rpc.peer_unavailable'],
  ['unsupported', 'rpc.method_unknown'],
])

function foreignFault(error: ServiceError, status: Status | undefined): PlatformError {
  // A connection that breaks under a call is reported by grpc-js as INTERNAL; to the caller the peer was not there.
  const broken = !status && error.code === 13 && error.details?.startsWith('Received RST_STREAM')
  const kind = broken ? 'unavailable' : (foreignKinds.get(error.code) ?? 'internal')
  if (!status && kind === 'timeout') return deadlineError()
  if (!status && kind === 'cancelled') return cancelledError()
  const { info, violations, retryAfterMs }: Unpacked = status ? unpack(status) : {}
  return new PlatformError(error.details || 'The peer failed without saying why', {
    kind,
    code: foreignCodes.get(kind) ?? 'rpc.peer_failed',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    details: {
      grpc_status: error.code,
      ...(info ? { reason: info.reason, domain: info.domain } : {}),
      ...(violations ? { violations } : {}),
    },
    cause: error,
  })
}
