import { type Event, EventSchema, EventsService, Start } from '@plinth/events-service/contract'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { toInteger } from './globals.ts'
import { confirm } from './remote/confirm.ts'
import { payloadJson } from './remote/event-payload.ts'
import { messageJson } from './remote/message.ts'
import { readPages } from './remote/pages.ts'
import { withRemote } from './remote/remote.ts'
import { clean, time } from './text.ts'

const { listDeadLetters, listGroups, listTopics } = EventsService.method

interface Selection {
  readonly group?: string
  readonly topic?: string
}

/** `plinth events`. */
export function addEventsCommand(program: Command, context: CommandContext): void {
  const events = program.command('events').description('look at the bus: topics, groups and their lag, dead letters')
  addLists(events, context)
  addDeadLetters(events, context)
  addTail(events, context)
}

const all = { limit: 10_000 }

function addLists(events: Command, context: CommandContext): void {
  events
    .command('topics')
    .description('list topics with their offsets and sizes')
    .action((_, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal }) => {
        const { items } = await readPages(all, async (range) => {
          const answer = await client(EventsService).listTopics(range)
          return { items: answer.topics, nextPageToken: answer.nextPageToken }
        })
        terminal.answer(
          messageJson(listTopics.output, {
            $typeName: listTopics.output.typeName,
            topics: [...items],
            nextPageToken: '',
          }),
          () =>
            terminal.columns([
              ['TOPIC', 'MESSAGES', 'FROM', 'NEXT', 'BYTES'],
              ...items.map((each) => [
                clean(each.topic),
                each.nextOffset - each.firstOffset,
                each.firstOffset,
                each.nextOffset,
                each.bytes,
              ]),
            ]),
        )
      }),
    )
  events
    .command('groups')
    .description('list groups with how far they are behind')
    .action((_, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal }) => {
        const { items } = await readPages(all, async (range) => {
          const answer = await client(EventsService).listGroups(range)
          return { items: answer.groups, nextPageToken: answer.nextPageToken }
        })
        terminal.answer(
          messageJson(listGroups.output, {
            $typeName: listGroups.output.typeName,
            groups: [...items],
            nextPageToken: '',
          }),
          () =>
            terminal.columns([
              ['GROUP', 'TOPIC', 'LAG', 'DEAD', 'COMMITTED', 'ACTIVE'],
              ...items.map((each) => [
                clean(each.group),
                clean(each.topic),
                each.lag,
                each.deadLetters,
                each.committedOffset,
                each.active ? 'yes' : 'no',
              ]),
            ]),
        )
      }),
    )
}

function addDeadLetters(events: Command, context: CommandContext): void {
  const selecting = (command: Command) =>
    command.option('--group <name>', 'of this group').option('--topic <name>', 'of this topic')
  selecting(events.command('dead-letters').description('list messages that a group could not handle'))
    .option('-n, --limit <count>', 'how many at most', toInteger({ min: 1, max: 10_000 }), 20)
    .action((options: Selection & { limit: number }, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal }) => {
        const { group = '', topic = '' } = options
        const { items, nextPageToken } = await readPages(options, async (range) => {
          const answer = await client(EventsService).listDeadLetters({ ...range, group, topic })
          return { items: answer.deadLetters, nextPageToken: answer.nextPageToken }
        })
        terminal.answer(
          messageJson(listDeadLetters.output, {
            $typeName: listDeadLetters.output.typeName,
            deadLetters: [...items],
            nextPageToken,
          }),
          () =>
            items.length === 0
              ? ['No dead letters.']
              : terminal.columns([
                  ['ID', 'GROUP', 'TOPIC', 'TYPE', 'TRIES', 'DIED', 'FAILURE'],
                  ...items.map((each) => [
                    clean(each.id),
                    clean(each.group),
                    clean(each.event?.topic ?? ''),
                    clean(each.event?.type ?? ''),
                    each.attempts,
                    time(each.diedAt),
                    clean(each.failure),
                  ]),
                ]),
          () => items.map(({ id }) => id),
        )
      }),
    )
  const counted = (command: Command, { done, ask }: { readonly done: string; readonly ask: boolean }) =>
    selecting(command.argument('[ids...]', 'ids of dead letters; or say --group')).action(
      (ids: readonly string[], { group = '', topic = '', yes }: Selection & { yes?: boolean }) => {
        if (ids.length === 0 && group === '') command.error('error: say ids, or --group', { exitCode: 2 })
        return withRemote({ command, context }, async ({ client, terminal }) => {
          const bus = client(EventsService)
          if (ask) await confirm(context, { question: 'Remove them for good?', yes })
          const selection = { ids: [...ids], group, topic }
          const { count } = ask ? await bus.dropDeadLetters(selection) : await bus.replayDeadLetters(selection)
          terminal.answer({ count }, () => [`${count} ${done}.`])
        })
      },
    )
  counted(events.command('replay').description('hand dead letters to their group again'), {
    done: 'handed over again',
    ask: false,
  })
  counted(events.command('drop').description('remove dead letters for good').option('-y, --yes', 'without asking'), {
    done: 'removed',
    ask: true,
  })
}

function addTail(events: Command, context: CommandContext): void {
  events
    .command('tail')
    .description('show the messages of a topic as they come; Ctrl-C ends it')
    .argument('<topic>', 'as orders.order')
    .option('--from <place>', 'earliest, latest, or an offset', 'latest')
    .action((topic: string, options: { from: string }, command: Command) => {
      const isOffset = /^\d{1,18}$/.test(options.from)
      if (!isOffset && options.from !== 'earliest' && options.from !== 'latest') {
        command.error('error: --from takes earliest, latest or an offset', { exitCode: 2 })
      }
      const start = options.from === 'earliest' ? Start.EARLIEST : Start.LATEST
      return withRemote({ command, context }, async ({ client, terminal }) => {
        const request = { topic, start, ...(isOffset && { fromOffset: BigInt(options.from) }) }
        for await (const event of client(EventsService).tailTopic(request)) {
          terminal.item({ ...Object(messageJson(EventSchema, event)), message: payloadJson(event) }, () =>
            eventLine(event),
          )
        }
      })
    })
}

function eventLine(event: Event): string {
  const payload = payloadJson(event)
  const shown = payload === undefined ? `${event.payload.length} bytes` : JSON.stringify(payload)
  return `${event.offset}  ${time(event.time)}  ${clean(event.type)}  ${clean(event.key)}  ${clean(shown)}`
}
