import { PlatformError } from '@plinth/base'
import type { FactMistake } from '../domain/product.ts'
import type { Shortage } from './ports.ts'

export function productNotFound(productId: string): PlatformError {
  return new PlatformError(`Cannot find the product: no product ${productId}`, {
    kind: 'not_found',
    code: 'catalog.product_not_found',
    details: { product_id: productId },
  })
}

export function skuTaken(sku: string): PlatformError {
  return new PlatformError(`Cannot save the product: its SKU "${sku}" is taken`, {
    kind: 'exists',
    code: 'catalog.sku_taken',
    details: { sku },
  })
}

export function staleProduct(version: number): PlatformError {
  return new PlatformError('Cannot change the product: it was changed since you read it', {
    kind: 'stale',
    code: 'catalog.stale',
    details: { version },
  })
}

export function outOfStock(shortages: readonly Shortage[]): PlatformError {
  const short = shortages.map(({ productId, wanted, available }) => ({ product_id: productId, wanted, available }))
  return new PlatformError('Cannot reserve the stock: there is not enough of every product', {
    kind: 'precondition',
    code: 'catalog.out_of_stock',
    details: { short },
  })
}

export function reservationExpired(reservationId: string): PlatformError {
  return new PlatformError('Cannot sell the stock: its reservation expired and others have bought it', {
    kind: 'precondition',
    code: 'catalog.reservation_expired',
    details: { reservation_id: reservationId },
  })
}

export function reservationNotFound(reservationId: string): PlatformError {
  return new PlatformError(`Cannot find the reservation: no reservation ${reservationId}`, {
    kind: 'not_found',
    code: 'catalog.reservation_not_found',
    details: { reservation_id: reservationId },
  })
}

export function stockBelowZero(productId: string): PlatformError {
  return new PlatformError('Cannot take so many units: fewer are available', {
    kind: 'precondition',
    code: 'catalog.stock_too_low',
    details: { product_id: productId },
  })
}

export function invalidProduct(mistakes: readonly FactMistake[]): PlatformError {
  return new PlatformError('Cannot save the product: it has mistakes', {
    kind: 'invalid',
    code: 'catalog.product_invalid',
    details: {
      violations: mistakes.map(({ field, message }) => ({ field: contractNameOf(field), rule: 'product', message })),
    },
  })
}

/** What the contract calls a fact, in JSON names. */
function contractNameOf(field: FactMistake['field']): string {
  if (field === 'priceMinor') return 'product.price.amountMinor'
  return field === 'currency' ? 'product.price.currency' : `product.${field}`
}
