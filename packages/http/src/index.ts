/**
 * The HTTP edge: a hardened Fastify server with limits, security headers and graceful draining.
 * @module
 */
export {
  type HttpRefusedAnnouncement,
  type HttpRequestAnnouncement,
  refusedChannel,
  requestChannel,
} from './announcements.ts'
export { type Answerer, type FlatHeaders, requestIdOf, routeOf, setRoute } from './answer.ts'
export {
  type HttpErrorCode,
  type HttpErrorFacts,
  httpError,
  httpErrors,
  httpStatusOf,
  httpTitleOf,
} from './http-errors.ts'
export { createHttpServer, type DrainReport, type HttpAddress, type HttpServer } from './http-server.ts'
export type { CorsOptions, HttpLimits, HttpMiddleware, HttpServerOptions, HttpTimeouts } from './http-server-options.ts'
export { type ProblemDocument, problemMediaType, retryAfterSeconds, toProblem } from './problem.ts'
export { hasBody, readBody } from './read-body.ts'
export { catchAll } from './route-map.ts'
