/**
 * The top of the toolkit: parts wired under the compiler's eyes, started and stopped in order, configured as a
 * transaction, with health that gives reasons.
 * @module
 */
export {
  type Assembly,
  assemble,
  type MissingNames,
  type MissingPart,
  type Running,
  type StartOptions,
} from './assemble.ts'
export type { BackgroundTask, BackgroundTaskOptions } from './background-task.ts'
export {
  type ConfigDefinition,
  type ConfigFields,
  type ConfigSection,
  type ConfigSubscriber,
  type ConfigValue,
  defineConfig,
  type SectionChange,
} from './config/define-config.ts'
export {
  type BooleanOptions,
  type BytesOptions,
  boolean,
  bytes,
  type ChoiceOptions,
  type ConfigField,
  choice,
  type DurationOptions,
  durationMs,
  type FieldOptions,
  integer,
  type JsonSchema,
  type ListOptions,
  list,
  type NumberOptions,
  number,
  type Parsed,
  type SecretOptions,
  type StringOptions,
  secret,
  string,
} from './config/fields.ts'
export type { BytesText, DurationText } from './config/units.ts'
export type { Graph, GraphNode, WiringProblem } from './graph.ts'
export type { CheckResult, Criticality, HealthCheck, HealthRegistry } from './health.ts'
export { type Key, type KeyMap, key, type ValueOf, type ValuesOf } from './key.ts'
export {
  BusKey,
  bindingOf,
  Clocks,
  clientOf,
  configOf,
  IdsKey,
  Log,
  Metrics,
  type NamedContract,
  Randoms,
  type StoreOpener,
  type StoreOptions,
  Stores,
  Tracer,
} from './keys.ts'
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
} from './module.ts'
