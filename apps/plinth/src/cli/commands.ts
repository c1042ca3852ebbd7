import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'

/** Puts a command on the program. */
export type AddCommand = (program: Command, context: CommandContext) => void

/** A command as the list shows it; its code is read only when it runs. */
export interface CommandEntry {
  readonly name: string
  readonly group: string
  readonly description: string
  readonly load: () => Promise<AddCommand>
  /** It speaks about all other commands, so their code is read too. */
  readonly needsAll?: true
}

const run = 'Run a shop:'
const use = 'Use a shop:'
const operate = 'Operate a shop:'
const rest = 'This program:'

/** Every command, in the order of the help. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'up',
    group: run,
    description: 'run the shop: all services in this process, or the ones named',
    load: async () => (await import('./up.ts')).addUpCommand,
  },
  {
    name: 'status',
    group: run,
    description: 'tell how a running shop is: health with reasons, services, addresses',
    load: async () => (await import('./status.ts')).addStatusCommand,
  },
  {
    name: 'doctor',
    group: run,
    description: 'check whether a shop can run here, and say what to do',
    load: async () => (await import('./doctor.ts')).addDoctorCommand,
  },
  {
    name: 'config',
    group: run,
    description: 'explain and check the configuration',
    load: async () => (await import('./config.ts')).addConfigCommand,
  },
  {
    name: 'graph',
    group: run,
    description: 'print how the parts of the shop are wired',
    load: async () => (await import('./graph.ts')).addGraphCommand,
  },
  {
    name: 'register',
    group: use,
    description: 'make an account and log in',
    load: async () => (await import('./register.ts')).addRegisterCommand,
  },
  {
    name: 'verify',
    group: use,
    description: 'confirm your address with the token from your mail',
    load: async () => (await import('./verify.ts')).addVerifyCommand,
  },
  {
    name: 'login',
    group: use,
    description: 'log in and keep the tokens for the next commands',
    load: async () => (await import('./login.ts')).addLoginCommand,
  },
  {
    name: 'logout',
    group: use,
    description: 'end the session and forget its tokens',
    load: async () => (await import('./logout.ts')).addLogoutCommand,
  },
  {
    name: 'whoami',
    group: use,
    description: 'tell who is logged in',
    load: async () => (await import('./whoami.ts')).addWhoamiCommand,
  },
  {
    name: 'sessions',
    group: use,
    description: 'list and revoke your sessions',
    load: async () => (await import('./sessions.ts')).addSessionsCommand,
  },
  {
    name: 'catalog',
    group: use,
    description: 'search, read and edit products',
    load: async () => (await import('./catalog.ts')).addCatalogCommand,
  },
  {
    name: 'cart',
    group: use,
    description: 'show and fill your cart',
    load: async () => (await import('./cart.ts')).addCartCommand,
  },
  {
    name: 'orders',
    group: use,
    description: 'place, follow and handle orders',
    load: async () => (await import('./orders.ts')).addOrdersCommand,
  },
  {
    name: 'pay',
    group: use,
    description: 'pay an order with a test card',
    load: async () => (await import('./pay.ts')).addPayCommand,
  },
  {
    name: 'seed',
    group: operate,
    description: 'load products into the catalogue: 3,201 films, or a file',
    load: async () => (await import('./seed.ts')).addSeedCommand,
  },
  {
    name: 'users',
    group: operate,
    description: 'list accounts, set their roles, unlock them',
    load: async () => (await import('./users.ts')).addUsersCommand,
  },
  {
    name: 'events',
    group: operate,
    description: 'look at the bus: topics, groups and their lag, dead letters',
    load: async () => (await import('./events.ts')).addEventsCommand,
  },
  {
    name: 'new',
    group: rest,
    description: 'write the skeleton of a new service',
    load: async () => (await import('./new-service.ts')).addNewCommand,
  },
  {
    name: 'completion',
    group: rest,
    description: 'print a completion script for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).addCompletionCommand,
    needsAll: true,
  },
  {
    name: 'version',
    group: rest,
    description: 'print the versions of Plinth and of what it runs on',
    load: async () => (await import('./version.ts')).addVersionCommand,
  },
]
