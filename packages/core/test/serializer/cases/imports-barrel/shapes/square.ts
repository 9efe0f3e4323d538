export class Square { constructor(readonly side: number) {} }
export const area = (s: Square) => s.side ** 2
