/**
 * The top of the toolkit: parts wired under the compiler's eyes, started and stopped in order, configured as a
 * transaction, with health that gives reasons.
 * @module
 */

export { adminConfig, lifecycleConfig } from './admin/admin-config.ts'
export { Admin, type AdminServer, type AdminText, adminModule, listenAdmin } from './admin/admin-server.ts'
export { createConfigModule, type SectionKeys } from './config/config-module.ts'
export {
  type ConfigChange,
  type ConfigPatch,
  type Configuration,
  type ConfigurationDeps,
  type ConfigurationOptions,
  loadConfiguration,
} from './config/configuration.ts'
export {
  type ConfigDefinition,
  type ConfigFields,
  type ConfigSection,
  type ConfigSubscriber,
  type ConfigValue,
  type ConfigValueOf,
  defineConfig,
  type SectionChange,
} from './config/define-config.ts'
export type { ConfigLayer, ConfigProblem, ConfigSource, RawDocument, RawEntry } from './config/entry.ts'
export { type ConfigEntry, configJsonSchema } from './config/explain.ts'
export type { ConfigField, FieldOptions, JsonSchema, Parsed } from './config/field.ts'
export {
  type BooleanOptions,
  boolean,
  type ChoiceOptions,
  choice,
  integer,
  type ListOptions,
  list,
  type NumberOptions,
  number,
  type SecretOptions,
  type StringOptions,
  secret,
  string,
} from './config/fields.ts'
export { createFileSource, type FileSourceOptions } from './config/file-source.ts'
export { type BytesOptions, bytes, type DurationOptions, durationMs } from './config/measured-fields.ts'
export { createSecretReader, type SecretReader, type SecretReference } from './config/secrets.ts'
export type { BytesText, DurationText } from './config/units.ts'
export { createEventLoopCheck, type EventLoopCheckOptions, eventLoopModule } from './health/event-loop-check.ts'
export { createGrpcHealth } from './health/grpc-health.ts'
export type {
  CheckReport,
  CheckResult,
  Criticality,
  HealthCheck,
  HealthPhase,
  HealthRegistry,
  HealthReport,
  LivenessReport,
} from './health/health-registry.ts'
export {
  BusKey,
  bindingOf,
  Clocks,
  clientOf,
  configOf,
  IdsKey,
  Log,
  Metrics,
  Randoms,
  type StoreOpener,
  type StoreOptions,
  Stores,
  Tracer,
} from './keys.ts'
export type { BackgroundTask, BackgroundTaskOptions, BackgroundTaskState } from './lifecycle/background-task.ts'
export type { LifecycleObserver, LifecycleOptions, TaskFailure } from './lifecycle/lifecycle-options.ts'
export {
  formatReport,
  type HookName,
  type HookOutcome,
  type HookReport,
  type ShutdownReport,
  type StartReport,
} from './lifecycle/reports.ts'
export { observeAnnouncements } from './observe/observe-announcements.ts'
export { observeBus } from './observe/observe-bus.ts'
export {
  type CallObservabilityOptions,
  createObservabilityInterceptors,
  type ObservabilityDeps,
} from './observe/observe-calls.ts'
export {
  observeTransport,
  type TransportObservabilityDeps,
  type TransportObservabilityOptions,
} from './observe/observe-transport.ts'
export { type RunOptions, runApplication } from './run-application.ts'
export { type ProcessSignal, processSignals, type SignalSource } from './signals.ts'
export { traceHeaders } from './trace-headers.ts'
export {
  type Assembly,
  assemble,
  type MissingNames,
  type MissingPart,
  type Running,
  replace,
} from './wiring/assemble.ts'
export type { Graph, GraphNode, WiringProblem } from './wiring/graph.ts'
export { type Key, type KeyMap, key, type ValueOf, type ValuesOf } from './wiring/key.ts'
export {
  type AnyModule,
  defineModule,
  type Module,
  type ModuleContext,
  type ModuleDefinition,
  type ModuleHooks,
  provide,
  type Started,
  type StartedModule,
} from './wiring/module.ts'
