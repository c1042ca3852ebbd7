import { describe, it } from 'node:test'
import { leftoversRule } from './leftovers.ts'
import { assertFinds, assertQuiet } from './testing.ts'

describe('leftovers', () => {
  it('refuses what merges, haste and machines leave behind', () => {
    for (const [text, message] of [
      ['a\n<<<<<<< HEAD\nb', /notes\.md:2 A conflict/],
      ['>>>>>>> other', /A conflict/],
      ['// FIXME: later', /Mend what/],
      ['// TODO: later', /with the number of an issue/],
      ['run /home/ada/plinth/x', /path of one machine/],
      ['see /work/main', /path of one machine/],
      ['https://registry.example.org/x', /host of a registry/],
    ] as const) {
      assertFinds(leftoversRule, { 'docs/notes.md': text }, message)
    }
  })

  it('takes what only looks like one', () => {
    assertQuiet(leftoversRule, {
      'docs/notes.md': 'Title\n=======\nTODO(#12)\nGET /v1/home/page\nhttps://example.org/registry\nnetwork/work/main',
    })
  })
})
