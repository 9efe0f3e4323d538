import type { ActivationReport, LithopsError } from '@lithops/core/driver'

/** Where array runs of a runtime begin: its job on the platform. */
export interface ArrayPlace {
  /** Of no other runtime. */
  readonly jobName: string
  /** Time limit of one instance in milliseconds, at which the platform itself ends it. */
  readonly timeoutMs: number
}

/** An array run, as it is asked for: one instance for each index, each of which runs the activation of its index. */
export interface ArrayStart<Place extends ArrayPlace = ArrayPlace> {
  readonly place: Place
  /** What the program calls it, from `ArrayPlatform.newMark`: what was begun with a lost answer is found by it. */
  readonly mark: string
  /** Ascending, each once. From 0 on without a gap, unless the platform has `limits.keptIndices`. */
  readonly indices: readonly number[]
  /** Text of `packBatch` for the workers, in which the message of index `i` is at `i - first`. */
  readonly packed: string
  readonly first: number
}

/** What an array run has come to, as far as the platform tells. */
export interface ArrayView {
  /** No instance runs, or will: an index that has not ended by then has failed. */
  readonly isOver: boolean
  /** Of the run as a whole, for messages: its state, or why nothing begins. Empty where it says nothing. */
  readonly said: string
  /** Indices that have ended. May have those that an earlier look had. */
  readonly succeeded: Iterable<number>
  readonly failed: Iterable<number>
  /** Instances that run. */
  readonly runningCount: number
  /**
   * Which those are, and since when in milliseconds since 1970, where that is told. All that there are where the look is `isLate`;
   * others need not be asked for.
   */
  readonly running: ReadonlyMap<number, number | undefined>
  /** Of an index that has succeeded: where it ran, what is billed. */
  reportOf(index: number): ActivationReport
  /** Of an index that has failed: why, as core knows it. */
  errorOf(index: number): LithopsError
}

export interface LookOptions {
  /** Instances may be over their time limit: `ArrayView.running` is needed. */
  readonly isLate: boolean
  readonly signal: AbortSignal
}

/** An array run that is on the platform. */
export interface StartedRun {
  /** By which the platform, and its tools, know it. */
  readonly name: string
  /** Undefined when it is not there any more. Rejects with an error of the API, which may be one that passes. */
  look(options: LookOptions): Promise<ArrayView | undefined>
  /** Ends what still runs of it, and removes it with all that was made for it. What is not there is no error. */
  remove(): Promise<void>
}

/** Why a run did not begin, as core needs to know it. */
export interface RefusedStart {
  /**
   * - 'busy': there is no room now; it is tried again, at no cost
   * - 'gone': the job is not there, or not ready; it is made again, and nothing has run
   * - 'passing': it may have begun, or the next try may succeed
   * - 'final': it will be refused again
   */
  readonly kind: 'busy' | 'gone' | 'passing' | 'final'
  /** What was tried, what the platform said, and what to do. */
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
  readonly cause: unknown
}

/** For a platform whose instances may have any indices: an activation that is sent again has the index that it had. */
export interface KeptIndices {
  /** The largest that there may be. */
  readonly largest: number
  /** Whether one run may have these, ascending: where there is a limit to how they are named. */
  fit(indices: readonly number[]): boolean
}

export interface ArrayLimits {
  /** Instances of one run. */
  readonly indices: number
  /** Of a packed batch, where the platform's place for it takes no more. */
  readonly packedCharacters: number
  /** Absent: the platform counts the instances of each run from 0. */
  readonly keptIndices?: KeptIndices
}

/** What messages call things. */
export interface ArrayWords {
  /** 'Cloud Run' */
  readonly platform: string
  /** 'execution' */
  readonly run: string
  /** 'task' */
  readonly instance: string
  /** Key of errors' `details` with the run's name. */
  readonly nameKey: string
  /** Why no instance of a run begins, as a rule, and which command tells: what comes after a colon, with a full stop. */
  whenStuck(name: string): string
}

/**
 * A platform that runs one program many times, as an array of instances that are told apart by an index: what is its own of batches.
 *
 * The line is drawn so: whatever takes time, or many activations, is this room's. `Batches` says which activations make a run and
 * when, packs them, begins a run once though answers may be lost, looks at it in ever longer pauses, tells each activation how
 * its index has ended, notices what never ends, ends and removes what nobody waits for. A platform makes single requests, and
 * reads its own answers: how a run is begun with a packed batch, what is there, what of it has ended and what that means in core's
 * errors, why a start was refused, how it is removed. It does not wait, count or try again on its own, but for requests that may be
 * repeated without harm, and keeps nothing but what an answer needs to be read.
 */
export interface ArrayPlatform<Place extends ArrayPlace = ArrayPlace> {
  readonly words: ArrayWords
  readonly limits: ArrayLimits
  /**
   * What a new run is called by this program: never given twice.
   *
   * @param label of the job whose activations it has, for people
   */
  newMark(label: string): string
  /** Begins a run. Called again with the same start only where `find` has found nothing. Rejects with an error of the API. */
  start(start: ArrayStart<Place>): Promise<StartedRun>
  /** Whether the run may be there although `start` was rejected with this: the answer was lost, or the platform failed in the middle. */
  mayHaveBegun(error: unknown): boolean
  /** The run of a start whose answer was lost, by its mark. Undefined where it has not begun. */
  find(start: ArrayStart<Place>): Promise<StartedRun | undefined>
  /** What `start` was rejected with at last. */
  explain(error: unknown, start: Pick<ArrayStart<Place>, 'place' | 'mark'>): RefusedStart
  /** Removes what a start that failed may have left. Absent: it leaves nothing that could be found. */
  discard?(start: ArrayStart<Place>): Promise<void>
}
