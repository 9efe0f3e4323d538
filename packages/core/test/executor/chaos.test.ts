import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { FunctionExecutor } from '../../src/index.ts'

/** Workers die, by their own hand and by others'; every call still ends, once, with the right value. */

const CALLS = 10_000
const items = Array.from({ length: CALLS }, (_, i) => i)
const open = (retries = 5) =>
  new FunctionExecutor({ localhost: { worker_processes: 2 }, retries: { infrastructure: retries } })

/** Worker processes of this program. */
function workers(): number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([, parent, ...args]) => Number(parent) === process.pid && args.join(' ').includes('slot-main'))
    .map(([pid]) => Number(pid))
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended meanwhile
  }
}

describe.skipIf(process.platform === 'win32')('ten thousand calls', { timeout: 120_000 }, () => {
  test('with a tenth of the activations losing their worker, in every way a worker can go', async () => {
    await using fexec = open(10)
    const futures = fexec.map((x: number, context) => {
      // the same dice on every machine: by call and attempt, so that a call that was unlucky may be so again
      let dice = (x * 2654435761 + context.attempt * 40503) >>> 0
      dice = ((dice ^ (dice >>> 15)) * 2246822519) >>> 0
      const chance = ((dice ^ (dice >>> 13)) >>> 0) / 2 ** 32
      if (chance < 0.002) process.kill(process.pid, 'SIGKILL')
      if (chance < 0.004) process.exit(3)
      if (chance < 0.006) process.abort()
      return x * 3
    }, items)
    const ends = new Map<number, number>()
    for await (const future of futures) {
      ends.set(future.callId, (ends.get(future.callId) ?? 0) + 1)
      expect(await future.result()).toBe(future.callId * 3)
    }
    expect(ends.size).toBe(CALLS)
    expect([...ends.values()].every(times => times === 1)).toBe(true)
    expect(futures.filter(future => future.stats.retryCount > 0).length).toBeGreaterThan(30)
    expect(new Set(futures.map(future => future.stats.workerId)).size).toBeGreaterThan(20)
  })

  test('with workers killed from outside, at work and at their start', async () => {
    await using fexec = open(50)
    const futures = fexec.map((x: number) => {
      for (const end = performance.now() + 0.2; performance.now() < end; );
      return x + 1
    }, items)
    const reading = fexec.getResult(futures)
    let kills = 0
    // as the calls get on, so that a slow machine gets on too; the new worker is killed right at its start
    for (let ended = 0; ended < CALLS; await sleep(5)) {
      const now = futures.filter(future => future.isDone).length
      if (now < CALLS && now < ended + 500) continue
      ended = now
      for (let blow = 0; blow < 2 && ended < CALLS; blow++) {
        const [victim] = workers().slice(-1)
        if (victim !== undefined && ++kills > 0) kill(victim)
        await sleep(20)
      }
    }
    expect(await reading).toEqual(items.map(x => x + 1))
    expect(kills).toBeGreaterThan(10)
  })
})

describe.skipIf(process.platform === 'win32')('workers that are killed', () => {
  test('while they are idle, all of them at once, hurt nothing', async () => {
    await using fexec = open(1)
    const double = (x: number) => x * 2
    for (let round = 0; round < 5; round++) {
      expect(await fexec.getResult(fexec.map(double, [1, 2, 3, 4]))).toEqual([2, 4, 6, 8])
      for (const pid of workers()) kill(pid)
    }
  })

  test('while they start, before their first call, hurt nothing', async () => {
    for (let delay = 0; delay < 5; delay++) {
      await using fexec = open()
      const futures = fexec.map((x: number) => x, [1, 2, 3])
      await sleep(delay * 10)
      for (const pid of workers()) kill(pid)
      expect(await fexec.getResult(futures)).toEqual([1, 2, 3])
    }
  })

  test('again and again end the call with an error that says how often it was tried', async () => {
    await using fexec = open(2)
    const error = await fexec
      .callAsync(() => {
        console.log('here I go')
        process.kill(process.pid, 'SIGKILL')
      }, 0)
      .catch(e => e)
    expect(error).toMatchObject({ code: 'LITHOPS_WORKER_LOST', callId: 0 })
    expect(error.message).toMatch(/killed by SIGKILL.*peak memory was \d+ MiB.*tried 3 times.*here I go/s)
  })
})
