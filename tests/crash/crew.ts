/**
 * Customers and an operator who keep a shop busy, each with one command under way, and remember what they were told.
 */
import { randomUUID } from 'node:crypto'
import type { Random } from '@plinth/base'
import { type Answer, type Command, pause, type ShopClient } from './shop-client.ts'

/** What somebody was told about one order. */
export interface Told {
  readonly orderId: string
  readonly customer: number
  /** Empty: to be paid later. */
  readonly method: string
  /** The last status an answer showed. */
  status: string
  /** Commands that were acknowledged, in order: `place`, `pay`, `cancel`, `ship`, `deliver`, `refund`. */
  readonly acknowledged: string[]
}

export interface Crew {
  readonly orders: ReadonlyMap<string, Told>
  /** What nobody may ever see: one key with two orders, an answer that contradicts an earlier one. */
  readonly contradictions: readonly string[]
  readonly figures: CrewFigures
  /** Ends the work; resolves when the last command is answered. */
  stop(): Promise<void>
}

export interface CrewFigures {
  commands: number
  /** Commands that were repeated because an answer got lost. */
  repeated: number
  refused: number
}

export interface CrewDeps {
  readonly call: ShopClient
  readonly random: Random
}

export interface CrewOptions {
  readonly customerTokens: readonly string[]
  readonly operatorToken: string
  readonly productIds: readonly string[]
  /** Commands under way at once. */
  readonly hands: number
}

const methods = [
  'card_ok',
  'card_ok',
  'card_ok',
  'card_declined',
  'card_answer_lost',
  'card_request_lost',
  'card_flaky',
  'card_slow',
  '',
  '',
] as const

/** What a customer or the operator may do with an order, by the status they last saw. */
const verbs: Readonly<Record<string, readonly string[]>> = {
  ORDER_STATUS_PLACED: ['pay', 'pay', 'cancel'],
  ORDER_STATUS_PAYING: ['look', 'look', 'cancel'],
  ORDER_STATUS_PAID: ['ship', 'ship', 'refund', 'cancel'],
  ORDER_STATUS_SHIPPED: ['deliver', 'deliver', 'refund'],
  ORDER_STATUS_DELIVERED: ['refund'],
}

/** Orders that may be worked on at once; beyond it the oldest are left to themselves. */
const openMax = 200

export function startCrew(deps: CrewDeps, options: CrewOptions): Crew {
  const { call, random } = deps
  const orders = new Map<string, Told>()
  const open: Told[] = []
  const contradictions: string[] = []
  const figures: CrewFigures = { commands: 0, repeated: 0, refused: 0 }
  let stopped = false

  async function send(command: Command): Promise<Answer> {
    const answer = await call(command)
    figures.commands++
    if (answer.lost > 0) figures.repeated++
    if (answer.status >= 400) figures.refused++
    return answer
  }

  async function place(): Promise<void> {
    const customer = random.int(options.customerTokens.length)
    const method = methods[random.int(methods.length)]!
    const lines = pick(options.productIds, 1 + random.int(2), random).map((productId) => {
      return { productId, quantity: 1 + random.int(3) }
    })
    const command: Command = {
      method: 'POST',
      path: '/v1/orders',
      token: options.customerTokens[customer]!,
      key: randomUUID(),
      body: { lines, paymentMethod: method },
    }
    const answer = await send(command)
    if (answer.status !== 200) return
    const orderId = String(answer.body['orderId'])
    if (orders.has(orderId)) contradictions.push(`two commands were given the order ${orderId}`)
    const told: Told = { orderId, customer, method, status: String(answer.body['status']), acknowledged: ['place'] }
    orders.set(orderId, told)
    if (random.next() < 0.2) {
      const repeated = await send(command)
      if (repeated.body['orderId'] !== orderId) {
        const got = JSON.stringify(repeated.body)
        contradictions.push(`repeating the command of ${orderId} was answered ${repeated.status} ${got}`)
      }
    }
    open.push(told)
    if (open.length > openMax) open.shift()
  }

  async function change(told: Told): Promise<void> {
    const choices = verbs[told.status] ?? []
    const verb = choices[random.int(Math.max(1, choices.length))]
    if (verb === undefined) return
    const isCustomers = verb === 'pay' || verb === 'cancel'
    const token = isCustomers ? options.customerTokens[told.customer]! : options.operatorToken
    const path = `/v1/orders/${told.orderId}`
    const answer = await send(
      verb === 'look'
        ? { method: 'GET', path, token }
        : { method: 'POST', path: `${path}:${verb}`, token, key: randomUUID(), body: bodyOf(verb, random) },
    )
    if (answer.status !== 200) {
      const now = await send({ method: 'GET', path, token })
      if (now.status === 404) contradictions.push(`${told.orderId} was acknowledged and is not found`)
      else told.status = String(now.body['status'])
      return
    }
    told.status = String(answer.body['status'])
    if (verb !== 'look') told.acknowledged.push(verb)
    open.push(told)
  }

  async function work(): Promise<void> {
    while (!stopped) {
      const told = open.length > 0 && random.next() < 0.6 ? open.splice(random.int(open.length), 1)[0] : undefined
      if (told) await change(told)
      else await place()
      await pause(random.int(20))
    }
  }

  const hands = Array.from({ length: options.hands }, () => work())
  // A hand that fails is heard of at the stop.
  for (const hand of hands) hand.catch(() => {})
  return {
    orders,
    contradictions,
    figures,
    async stop() {
      stopped = true
      await Promise.all(hands)
    },
  }
}

function bodyOf(verb: string, random: Random): object {
  switch (verb) {
    case 'pay':
      return { paymentMethod: methods[random.int(methods.length)] || 'card_ok' }
    case 'ship':
      return { trackingCode: 'T1' }
    case 'cancel':
    case 'refund':
      return { reason: 'changed my mind' }
    default:
      return {}
  }
}

function pick<T>(from: readonly T[], count: number, random: Random): readonly T[] {
  const first = random.int(from.length)
  return Array.from({ length: Math.min(count, from.length) }, (_, index) => from[(first + index) % from.length]!)
}
