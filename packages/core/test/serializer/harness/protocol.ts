export interface WorkerRequest {
  readonly id: number
  readonly hash: string
  /** The bundle; absent when this worker already has it. */
  readonly code?: string
  readonly env: string
  readonly args: string
}

export type WorkerAnswer =
  | { readonly id: number; readonly kind: 'ready' }
  | { readonly id: number; readonly kind: 'value'; readonly bytes: string }
  | { readonly id: number; readonly kind: 'thrown'; readonly bytes: string; readonly text: string }
  | { readonly id: number; readonly kind: 'broken'; readonly text: string }

/** Test process → client process. */
export interface CaseRequest {
  /** Absolute path of the program. */
  readonly file: string
  /** Written instead of compared. */
  readonly updateGolden: boolean
}

export interface CaseOutcome {
  readonly file: string
  /** One line per function of the program. */
  readonly results: readonly { readonly name: string; readonly failure?: string }[]
  /** The program itself did not load. */
  readonly failure?: string
}
