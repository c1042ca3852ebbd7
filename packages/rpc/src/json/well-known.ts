import { protoCamelCase, protoSnakeCase } from '@bufbuild/protobuf/reflect'

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the ends of what a Timestamp may say. */
export const timestampSecondsMin = -62_135_596_800
export const timestampSecondsMax = 253_402_300_799
/** About 10,000 years, the longest Duration. */
export const durationSecondsMax = 315_576_000_000

/** `unit_price.amount_minor` as JSON has it: `unitPrice.amountMinor`. */
export function camelPath(path: string): string {
  return path.split('.').map(protoCamelCase).join('.')
}

/** The way back of {@link camelPath}. */
export function snakePath(path: string): string {
  return path.split('.').map(protoSnakeCase).join('.')
}
