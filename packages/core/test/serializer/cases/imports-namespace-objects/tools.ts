export const pick = (n: number) => `pick ${n}`
export const drop = (n: number) => `drop ${n}`
