import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { peerFile } from '../lib/peers.mjs'
import { wallSamples } from '../lib/timing.mjs'

const ROUND_TRIPS = 10_000

const start = (name, work) => ({ name, kind: 'floor', run: ({ samples }) => wallSamples(samples, work) })

const exit = async child => {
  await once(child, 'exit')
}

/** The time of 10,000 round trips with `inFlight` on their way. */
function roundTrips(inFlight, send, listen) {
  return new Promise(done => {
    let sent = 0
    let got = 0
    const next = () => send({ id: sent++, args: [1] })
    listen(() => {
      if (++got === ROUND_TRIPS) done()
      else if (sent < ROUND_TRIPS) next()
    })
    while (sent < inFlight) next()
  })
}

function forkIpc(serialization, inFlight) {
  return start(`10,000 fork IPC round trips, ${serialization}, ${inFlight} in flight`, async () => {
    const child = fork(peerFile('echo-child.cjs'), {
      serialization,
      env: { ...process.env, BENCH_GREET: '1' },
    })
    await once(child, 'message')
    const begin = performance.now()
    await roundTrips(
      inFlight,
      message => child.send(message),
      listener => child.on('message', listener),
    )
    const wall = performance.now() - begin
    child.kill('SIGKILL')
    await exit(child)
    return wall
  })
}

function threadMessages(inFlight) {
  return start(`10,000 worker_threads round trips, ${inFlight} in flight`, async () => {
    const worker = new Worker(peerFile('echo-thread.cjs'))
    await once(worker, 'message')
    const begin = performance.now()
    await roundTrips(
      inFlight,
      message => worker.postMessage(message),
      listener => worker.on('message', listener),
    )
    const wall = performance.now() - begin
    await worker.terminate()
    return wall
  })
}

export const benchCase = {
  title: 'Floors of this machine',
  rounds: { full: 3, quick: 1 },
  samples: { full: 9, quick: 2 },
  metrics: [{ name: 'wall', label: 'wall', unit: 'ms', better: 'lower' }],
  contenders: [
    start('spawn node -e 0, to its exit', () =>
      exit(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' })),
    ),
    start('spawn true, to its exit', () => exit(spawn('true', { stdio: 'ignore' }))),
    start('fork, to the first message and its end', async () => {
      const child = fork(peerFile('echo-child.cjs'), { env: { ...process.env, BENCH_GREET: '1' } })
      await once(child, 'message')
      child.kill('SIGKILL')
      await exit(child)
    }),
    start('new Worker, to the first message and its end', async () => {
      const worker = new Worker(peerFile('echo-thread.cjs'))
      await once(worker, 'message')
      await worker.terminate()
    }),
    forkIpc('json', 1),
    forkIpc('json', 32),
    forkIpc('advanced', 1),
    forkIpc('advanced', 32),
    threadMessages(1),
    threadMessages(32),
  ],
}
