import { spawn } from 'node:child_process'

/** What a program wrote, and how it ended. */
export interface ProgramResult {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined
  readonly stdout: string
  /** The last of what it wrote, standard output and error as they came. */
  readonly tail: string
}

export interface RunOptions {
  /** Written to its standard input; without it the input is empty. */
  readonly input?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal | undefined
  /** Takes each line that it writes. */
  readonly onLine?: ((line: string) => void) | undefined
}

const TAIL_CHARACTERS = 4_000
/** What answers with more than this is not a tool that was asked a question. */
const STDOUT_CHARACTERS = 8 * 1024 * 1024
/** A program that was told to end and does not is killed. */
const END_MS = 5_000

/**
 * Runs a program to its end, without a shell. Rejects with Node's own error when it cannot be started, and with the
 * signal's reason, when the program has ended, after the signal was aborted.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  { input, env, signal, onLine }: RunOptions = {},
): Promise<ProgramResult> {
  if (signal?.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    let killing: NodeJS.Timeout | undefined
    const onAbort = () => {
      child.kill('SIGTERM')
      killing = setTimeout(() => child.kill('SIGKILL'), END_MS)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    const finish = () => {
      clearTimeout(killing)
      signal?.removeEventListener('abort', onAbort)
    }
    let stdout = ''
    let tail = ''
    const take = (text: string) => {
      tail = (tail + text).slice(-TAIL_CHARACTERS)
    }
    const lines = [new LineReader(onLine), new LineReader(onLine)] as const
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < STDOUT_CHARACTERS) stdout += text
      take(text)
      lines[0].take(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      take(text)
      lines[1].take(text)
    })
    // a program that ends without reading its input says why by its exit code
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
    child.once('error', error => {
      finish()
      reject(error)
    })
    child.once('close', code => {
      finish()
      for (const reader of lines) reader.end()
      if (signal?.aborted) reject(signal.reason)
      else resolve({ exitCode: code ?? undefined, stdout, tail: tail.trim() })
    })
  })
}

class LineReader {
  readonly #onLine: ((line: string) => void) | undefined
  #rest = ''

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine
  }

  take(text: string): void {
    if (this.#onLine === undefined) return
    const lines = (this.#rest + text).split(/\r?\n|\r/)
    this.#rest = lines.pop() as string
    for (const line of lines) if (line.trim() !== '') this.#onLine(line)
  }

  end(): void {
    if (this.#rest.trim() !== '') this.#onLine?.(this.#rest)
  }
}
