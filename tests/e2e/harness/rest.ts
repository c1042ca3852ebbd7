/** What a REST answer says. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; undefined when it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely, and an assertion fails on what is not there.
  readonly json: any
}

export interface RestRequest {
  readonly method?: string
  readonly token?: string | undefined
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  /** @default 20_000 */
  readonly timeoutMs?: number
}

export type Rest = (path: string, request?: RestRequest) => Promise<Answer>

/** Calls a server by REST, as any HTTP client would. */
export function createRest(url: string): Rest {
  return async (path, request = {}) => {
    const response = await fetch(`${url}${path}`, initOf(request))
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: parse(text, response.headers) }
  }
}

/** The request as `fetch` takes it. */
export function initOf(request: RestRequest): RequestInit {
  const { token, json, timeoutMs = 20_000 } = request
  const body = json === undefined ? request.body : JSON.stringify(json)
  return {
    method: request.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...request.headers,
    },
    ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
    signal: AbortSignal.timeout(timeoutMs),
    redirect: 'manual',
  }
}

function parse(text: string, headers: Headers): unknown {
  if (!/\bjson\b/.test(headers.get('content-type') ?? '')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
