import { describe, expect, test } from 'vitest'
import { logsOfBackends } from './logs-of-backends.ts'

const query = { jobKey: 'a1b2c3-0-M000' }
const having = (name: string, text: string) => ({ name, logs: async () => text })
const failing = (name: string) => ({
  name,
  logs: async () => {
    throw new Error(`${name} keeps no logs`)
  },
})

async function ask(...backends: Parameters<typeof logsOfBackends>[0]) {
  const lines: string[] = []
  const log = { info: (text: string) => lines.push(text), warn: (text: string) => lines.push(`! ${text}`) }
  return { text: await logsOfBackends(backends, query, log), lines }
}

describe('the logs of several backends', () => {
  test('are joined', async () => {
    expect(await ask(having('one', 'a\n'), having('two', 'b\n'))).toEqual({ text: 'a\nb\n', lines: [] })
  })

  test('are those of whoever has some, and the others are named once', async () => {
    expect(await ask(having('one', ''), having('two', 'b\n'), { name: 'three' })).toEqual({
      text: 'b\n',
      lines: ['There is no log of a1b2c3-0-M000 on one, three.'],
    })
    expect(await ask(failing('one'), having('two', 'b\n'), having('three', ''))).toEqual({
      text: 'b\n',
      lines: ['! There is no log of a1b2c3-0-M000 on one (one keeps no logs), three.'],
    })
  })

  test('are none where none has any, or the reason why', async () => {
    expect(await ask(having('one', ''), { name: 'two' })).toEqual({ text: '', lines: [] })
    await expect(ask(having('one', ''), failing('two'), failing('three'))).rejects.toThrow(
      'two keeps no logs',
    )
  })
})
