export const one = 1
export default function main() { return 'main' }
export class Kind { v = 1 }
