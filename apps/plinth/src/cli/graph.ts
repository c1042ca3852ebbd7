import { createIds, createSystemRandom, Secret, systemClock } from '@plinth/base'
import { createLogger, createStreamSink } from '@plinth/telemetry'
import type { Command } from 'commander'
import { createServiceIdentity } from '../host/clients.ts'
import { clusterConfig } from '../host/config.ts'
import { assembleShop, readTopology } from '../host/shop.ts'
import type { CommandContext } from './command-context.ts'
import { addHostOptions, type HostOptions, loadHostConfiguration } from './load-host.ts'

/** `plinth graph`: what `plinth up` with the same words would start, in which order. */
export function addGraphCommand(program: Command, context: CommandContext): void {
  addHostOptions(
    program
      .command('graph')
      .description('print how the parts of the shop are wired')
      .argument('[services...]', 'those that run here; all when none is named')
      .option('--dot', 'for Graphviz: plinth graph --dot | dot -Tsvg > graph.svg'),
  ).action(async (names: readonly string[], options: HostOptions & { readonly dot?: boolean }, command: Command) => {
    const configuration = await loadHostConfiguration(options, context.environment)
    const topology = readTopology(names, configuration.section(clusterConfig).current.peers)
    const random = createSystemRandom()
    const ids = createIds({ clock: systemClock, random })
    // Nothing is started, so nobody sees the secret.
    const secret = new Secret(ids.next())
    await using identity = await createServiceIdentity({ secret, clock: systemClock, ids }, 'plinth')
    await using log = createLogger({ sink: createStreamSink(2), level: 'off' })
    const { graph } = assembleShop({ configuration, log, identity }, topology)
    const lines = () => [options.dot ? graph.toDot() : graph.toText()]
    context.terminal(command.optsWithGlobals()).answer(graph.toJSON(), lines)
  })
}
