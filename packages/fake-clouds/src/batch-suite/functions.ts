/** What cases of batches run. */
export const twice = (x: number): number => x * 2

/** 0 to n - 1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
