import type {
  Container,
  ContainerEnd,
  ContainerRuntime,
  ContainerSpec,
} from '../knative/containers/containers.ts'

/** How an instance of a batch has ended. */
export interface BatchEnd extends ContainerEnd {
  /** It was ended at its time limit. */
  readonly isOverTime: boolean
}

export interface RunToEndOptions {
  readonly runtime: ContainerRuntime
  readonly timeLimitMs: number
  /** From SIGTERM, at the time limit, to SIGKILL. */
  readonly graceMs: number
  /** It is killed so long after its start, without a word. */
  readonly killAfterMs: number | undefined
  readonly onOutput: (text: string) => void
  readonly onStart: (container: Container) => void
}

/** Runs a container that ends by itself: an instance of a batch listens on no port. Its image was pulled. */
export async function runToEnd(spec: ContainerSpec, options: RunToEndOptions): Promise<BatchEnd> {
  const { runtime, timeLimitMs, graceMs, killAfterMs, onOutput, onStart } = options
  const container = await runtime.start(spec, onOutput)
  container.listening.catch(() => {})
  onStart(container)
  if (killAfterMs !== undefined) setTimeout(() => void container.kill(), killAfterMs)
  let isOverTime = false
  const limit = setTimeout(() => {
    isOverTime = true
    void container.stop(graceMs)
  }, timeLimitMs)
  const end = await container.ended
  clearTimeout(limit)
  return { ...end, isOverTime }
}
