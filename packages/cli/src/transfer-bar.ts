import type { TransferProgress } from '@lithops/core'
import type { SingleBar } from 'cli-progress'
import { formatBytes } from './format.ts'
import type { GlobalOptions } from './global-options.ts'

/** Smaller files are there before anybody could look. */
const SHOWN_FROM_BYTES = 8 * 1024 * 1024

/** Progress of one file on standard error, for people: on terminals only, never beside JSON. */
export class TransferBar {
  readonly #Bar: typeof SingleBar | undefined
  #bar: SingleBar | undefined

  private constructor(Bar: typeof SingleBar | undefined) {
    this.#Bar = Bar
  }

  static async open(options: GlobalOptions): Promise<TransferBar> {
    const isWanted = process.stderr.isTTY === true && !options.json
    return new TransferBar(isWanted ? (await import('cli-progress')).default.SingleBar : undefined)
  }

  readonly update = ({ doneBytes, totalBytes }: TransferProgress): void => {
    if (this.#Bar === undefined || (totalBytes ?? doneBytes) < SHOWN_FROM_BYTES) return
    const sizes = {
      done: formatBytes(doneBytes),
      all: totalBytes === undefined ? '?' : formatBytes(totalBytes),
    }
    if (this.#bar === undefined) {
      this.#bar = new this.#Bar({
        stream: process.stderr,
        format: '  {bar} {percentage}% | {done} of {all} | {duration_formatted}',
        hideCursor: true,
      })
      this.#bar.start(totalBytes ?? doneBytes, doneBytes, sizes)
      return
    }
    if (totalBytes === undefined) this.#bar.setTotal(doneBytes)
    this.#bar.update(doneBytes, sizes)
  }

  stop(): void {
    this.#bar?.stop()
  }
}
