import type { SingleBar } from 'cli-progress'

/** Redraws per second at the most. */
const REDRAWS_PER_SECOND = 10

/** A progress bar on standard error, while a person is watching. */
export class ProgressBar {
  #bar: SingleBar | undefined
  #ended = 0
  #isStopped = false

  /** Starts one when asked to, or by default when standard error is a terminal. */
  static start(total: number, wanted: boolean | undefined): ProgressBar | undefined {
    if (total === 0 || !(wanted ?? process.stderr.isTTY)) return undefined
    return new ProgressBar(total)
  }

  private constructor(total: number) {
    void import('cli-progress').then(({ default: progress }) => {
      if (this.#isStopped) return
      this.#bar = new progress.SingleBar(
        {
          stream: process.stderr,
          format: '  {bar} {percentage}% | {value}/{total} calls | {duration_formatted}',
          hideCursor: true,
          fps: REDRAWS_PER_SECOND,
          noTTYOutput: true,
        },
        progress.Presets.shades_classic,
      )
      this.#bar.start(total, this.#ended)
    })
  }

  readonly update = (ended: number): void => {
    this.#ended = ended
    this.#bar?.update(ended)
  }

  stop(): void {
    this.#isStopped = true
    this.#bar?.stop()
  }
}
