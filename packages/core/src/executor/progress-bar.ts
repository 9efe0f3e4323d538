import type { SingleBar } from 'cli-progress'
import type { CallHandle } from '../future/call-handle.ts'
import type { Job } from '../job/job.ts'
import { importCliProgress } from '../lazy-imports.ts'

const REDRAW_EVERY_MS = 100

/** How far a job is. */
export interface Progress {
  readonly ended: number
  readonly total: number
}

/** A progress bar on standard error, while a person is watching. */
export class ProgressBar {
  readonly #look: () => Progress
  #bar: SingleBar | undefined
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  /**
   * Starts one when `wanted`, by default when standard error is a terminal; undefined when there is nothing to draw.
   * `look` is asked for the state at each redraw.
   */
  static start(look: () => Progress, wanted: boolean | undefined): ProgressBar | undefined {
    if (!(wanted ?? process.stderr.isTTY)) return undefined
    const { ended, total } = look()
    return total === 0 || ended === total ? undefined : new ProgressBar(look)
  }

  private constructor(look: () => Progress) {
    this.#look = look
    importCliProgress().then(
      ({ default: progress }) => this.#draw(progress),
      () => {}, // in a bundled program: results matter more than the bar
    )
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
    if (this.#bar === undefined) return
    this.#update()
    this.#bar.stop()
  }

  #draw({ SingleBar, Presets }: typeof import('cli-progress')): void {
    if (this.#isStopped) return
    this.#bar = new SingleBar(
      {
        stream: process.stderr,
        format: '  {bar} {percentage}% | {value}/{total} calls | {duration_formatted}',
        hideCursor: true,
        noTTYOutput: true,
      },
      Presets.shades_classic,
    )
    const { ended, total } = this.#look()
    this.#bar.start(total, ended)
    this.#timer = setInterval(() => this.#update(), REDRAW_EVERY_MS)
    this.#timer.unref()
  }

  #update(): void {
    const { ended, total } = this.#look()
    this.#bar?.setTotal(total)
    this.#bar?.update(ended)
  }
}

/** How far these futures are, together with the jobs whose results they wait for. */
export function progressOf(futures: readonly CallHandle<unknown>[]): () => Progress {
  const feeding = new Set<Job>()
  for (const { call } of futures) if (call.job.feedingJob !== undefined) feeding.add(call.job.feedingJob)
  return () => {
    let ended = 0
    let total = futures.length
    for (const future of futures) if (future.isDone) ended++
    for (const job of feeding) {
      ended += job.ended
      total += job.created
    }
    return { ended, total }
  }
}

/** What the futures' jobs say about a progress bar. */
export function wantsProgress(futures: readonly CallHandle<unknown>[]): boolean | undefined {
  return futures.find(({ call }) => call.job.options.progress !== undefined)?.call.job.options.progress
}
