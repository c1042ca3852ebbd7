import { type Clock, PlatformError } from '@plinth/base'
import type { ConfigDefinition, ConfigSection } from './define-config.ts'
import { type ConfigSource, entriesOf, type RawDocument, type RawEntry } from './entry.ts'
import { type ConfigEntry, explainSnapshot } from './explain.ts'
import { createSecretReader, type SecretReader } from './secrets.ts'
import { SectionHub } from './section-hub.ts'
import { buildSnapshot, fieldsOf, type Snapshot, sameValue } from './snapshot.ts'
import { readEnvironment, readFlags } from './text-layers.ts'

/** What makes up a configuration. */
export interface ConfigurationOptions<Definitions extends readonly ConfigDefinition[]> {
  /** Every section of the program, also of services that run elsewhere: all may share one file. */
  readonly definitions: Definitions
  /** Files and their like; a later one wins. @default [] */
  readonly sources?: readonly ConfigSource[]
  /** Usually `process.env`. @default {} */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Of variable names. @default 'PLINTH' */
  readonly prefix?: string
  /** `section.field=value` each. @default [] */
  readonly flags?: readonly string[]
  /** How long the subscribers of a change may think, 1 to 60000. @default 2000 */
  readonly checkTimeoutMs?: number
}

/** What reading it takes. */
export interface ConfigurationDeps {
  readonly clock: Clock
  /** @default files and variables */
  readonly secrets?: SecretReader
}

/** What a change did. Values are as people write them; secrets are masked. */
export interface ConfigChange {
  /** Of the configuration now; it grows with every change that changed something. */
  readonly version: number
  /** Empty when everything is as it was. */
  readonly changes: readonly {
    readonly key: string
    readonly from: string
    readonly to: string
    readonly place: string
  }[]
}

/** Values by section and field; `null` takes an earlier runtime value back. */
export type ConfigPatch = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** The configuration of a process: read once, changed only as a whole. */
export interface Configuration<Definitions extends readonly ConfigDefinition[] = readonly ConfigDefinition[]> {
  readonly definitions: Definitions
  /** 1 after loading. */
  readonly version: number
  section<T>(definition: ConfigDefinition<string, T>): ConfigSection<T>
  /** Every key with its value, where it comes from, its default and bounds. Secrets are masked. */
  explain(): readonly ConfigEntry[]
  /**
   * Reads all layers again. All or nothing: what is invalid, vetoed or needs a restart leaves everything as it was.
   * Transactions run one after another; reloads that wait become one.
   *
   * @throws PlatformError `kernel.config_invalid` (invalid), `kernel.config_restart_needed` (precondition) naming the
   * keys, `kernel.config_vetoed` (precondition) with the reasons.
   */
  reload(): Promise<ConfigChange>
  /**
   * Lays values over all layers until they are taken back or the process ends, by the same rules as
   * {@link Configuration.reload}.
   */
  change(patch: ConfigPatch): Promise<ConfigChange>
  /** Reloads whenever a source changes; `onOutcome` hears how that went and must not throw. */
  watch(onOutcome: (outcome: ConfigChange | PlatformError) => void): Disposable
}

/**
 * Reads the configuration: defaults, then sources, environment, flags; a later layer wins.
 *
 * @throws PlatformError `kernel.config_invalid` (invalid) with all problems at once and the place of each.
 * @throws RangeError when `checkTimeoutMs` is out of its bounds, or two sections share a name.
 */
export async function loadConfiguration<const Definitions extends readonly ConfigDefinition[]>(
  deps: ConfigurationDeps,
  options: ConfigurationOptions<Definitions>,
): Promise<Configuration<Definitions>> {
  const { definitions, checkTimeoutMs = 2000 } = options
  if (!(checkTimeoutMs >= 1 && checkTimeoutMs <= 60_000)) {
    throw new RangeError(`Cannot load the configuration: checkTimeoutMs is 1 to 60000, received ${checkTimeoutMs}`)
  }
  const names = definitions.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new RangeError(`Cannot load the configuration: two sections are named ${twice}`)
  const hub = new SectionHub({ clock: deps.clock }, { definitions, checkTimeoutMs })
  const loaded = new LoadedConfiguration(deps, { ...options, hub })
  await loaded.load()
  return loaded
}

type RuntimeLayer = ReadonlyMap<string, RawEntry>

class LoadedConfiguration<Definitions extends readonly ConfigDefinition[]> implements Configuration<Definitions> {
  readonly #options: ConfigurationOptions<Definitions> & { readonly hub: SectionHub }
  readonly #secrets: SecretReader
  #runtime: RuntimeLayer = new Map()
  #turn: Promise<unknown> = Promise.resolve()
  #waitingReload: Promise<ConfigChange> | undefined
  #version = 1

  constructor(deps: ConfigurationDeps, options: ConfigurationOptions<Definitions> & { readonly hub: SectionHub }) {
    this.#options = options
    this.#secrets = deps.secrets ?? createSecretReader(options.environment ?? {})
  }

  get definitions(): Definitions {
    return this.#options.definitions
  }

  get version(): number {
    return this.#version
  }

  section<T>(definition: ConfigDefinition<string, T>): ConfigSection<T> {
    return this.#options.hub.section(definition.name) as ConfigSection<T>
  }

  explain(): readonly ConfigEntry[] {
    const { definitions, prefix = 'PLINTH', hub } = this.#options
    return explainSnapshot(hub.snapshot, { definitions, prefix })
  }

  async load(): Promise<void> {
    this.#options.hub.swap(await this.#read(this.#runtime))
  }

  reload(): Promise<ConfigChange> {
    this.#waitingReload ??= this.#inTurn(() => {
      this.#waitingReload = undefined
      return this.#transact(this.#runtime)
    })
    return this.#waitingReload
  }

  change(patch: ConfigPatch): Promise<ConfigChange> {
    return this.#inTurn(() => this.#transact(patched(this.#runtime, patch)))
  }

  watch(onOutcome: (outcome: ConfigChange | PlatformError) => void): Disposable {
    const stack = new DisposableStack()
    const onChange = () => void this.reload().then(onOutcome, onOutcome)
    for (const source of this.#options.sources ?? []) {
      const watching = source.watch?.(onChange)
      if (watching) stack.use(watching)
    }
    return stack
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }

  async #transact(runtime: RuntimeLayer): Promise<ConfigChange> {
    const { hub } = this.#options
    const next = await this.#read(runtime)
    const changes = this.#difference(hub.snapshot, next)
    this.#refuseRestarts(changes)
    const tell = await hub.prepare(next)
    this.#runtime = runtime
    if (changes.length > 0) this.#version++
    tell()
    return { version: this.#version, changes }
  }

  async #read(runtime: RuntimeLayer): Promise<Snapshot> {
    const { definitions, environment = {}, prefix = 'PLINTH', flags = [], sources = [] } = this.#options
    const { signal } = new AbortController()
    const documents: RawDocument[] = await Promise.all(sources.map((source) => source.read(signal)))
    documents.push(readEnvironment(environment, { prefix, definitions }), readFlags(flags))
    documents.push({ entries: [...runtime.values()], problems: [] })
    return await buildSnapshot({ secrets: this.#secrets, definitions }, documents)
  }

  #difference(from: Snapshot, to: Snapshot): ConfigChange['changes'] {
    const changes: ConfigChange['changes'][number][] = []
    for (const [key, field] of fieldsOf(this.#options.definitions)) {
      const [before, after] = [valueAt(from, key), valueAt(to, key)]
      if (sameValue(before, after)) continue
      const shown = (value: unknown) => (value === undefined ? '' : field.format(value))
      changes.push({ key, from: shown(before), to: shown(after), place: to.origins.get(key)?.place ?? 'default' })
    }
    return changes
  }

  #refuseRestarts(changes: ConfigChange['changes']): void {
    const fields = fieldsOf(this.#options.definitions)
    const fixed = changes.filter(({ key }) => fields.get(key)?.restart)
    if (fixed.length === 0) return
    const lines = fixed.map(({ key, from, to, place }) => `${key} (${place}) from ${from} to ${to}`)
    throw new PlatformError(`Cannot change while running, restart to apply: ${lines.join('; ')}`, {
      kind: 'precondition',
      code: 'kernel.config_restart_needed',
      details: { keys: fixed.map(({ key }) => key) },
    })
  }
}

function patched(runtime: RuntimeLayer, patch: ConfigPatch): RuntimeLayer {
  const next = new Map(runtime)
  for (const entry of entriesOf(patch, () => 'change at run time', 'runtime').entries) {
    const key = `${entry.section}.${entry.field}`
    if (entry.raw === null) next.delete(key)
    else next.set(key, entry)
  }
  return next
}

function valueAt(snapshot: Snapshot, key: string): unknown {
  const [section = '', field = ''] = key.split('.')
  return snapshot.sections.get(section)?.[field]
}
