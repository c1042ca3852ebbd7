/** How often something failed lately, for one account or one network address. */
export interface ThrottleState {
  readonly failures: number
  readonly lastAtMs: number
  readonly lockedUntilMs: number
}

export interface ThrottlePolicy {
  /** Failures without a pause. */
  readonly free: number
  /** Pause after the first failure past those; it doubles with each further one. */
  readonly pauseMinMs: number
  readonly pauseMaxMs: number
  /** Without a failure for so long all is forgotten. */
  readonly forgetAfterMs: number
}

export interface ThrottleRefusal {
  readonly refused: 'login_locked'
  readonly waitMs: number
}

const none: ThrottleState = { failures: 0, lastAtMs: 0, lockedUntilMs: 0 }

/**
 * Counts one attempt as failed before it is made, so that many at once cannot slip through together; take it back
 * with {@link refund} when it turns out well.
 */
export function charge(
  state: ThrottleState | undefined,
  { nowMs, policy }: { readonly nowMs: number; readonly policy: ThrottlePolicy },
): ThrottleState | ThrottleRefusal {
  const { failures, lockedUntilMs } = remembered(state, { nowMs, policy })
  if (nowMs < lockedUntilMs) return { refused: 'login_locked', waitMs: lockedUntilMs - nowMs }
  const beyond = failures + 1 - policy.free
  // 2^30 ms is past any pause; without the bound the power would overflow into Infinity.
  const pauseMs = beyond < 0 ? 0 : Math.min(policy.pauseMinMs * 2 ** Math.min(beyond, 30), policy.pauseMaxMs)
  // No pause is no lock, not one that ends now: another attempt may have read its clock a moment earlier.
  return { failures: failures + 1, lastAtMs: nowMs, lockedUntilMs: pauseMs === 0 ? 0 : nowMs + pauseMs }
}

/** Takes one charge back. Undefined when nothing is left to remember. */
export function refund(state: ThrottleState | undefined): ThrottleState | undefined {
  if (!state || state.failures <= 1) return undefined
  return { ...state, failures: state.failures - 1, lockedUntilMs: 0 }
}

function remembered(
  state: ThrottleState | undefined,
  { nowMs, policy }: { readonly nowMs: number; readonly policy: ThrottlePolicy },
): ThrottleState {
  return state && nowMs - state.lastAtMs < policy.forgetAfterMs ? state : none
}
