export const K = 42
export let live = 1
export default function dflt(x) { return x * 2 }
export function helper(a) { return a + K + hidden() }
function hidden() { return 100 }
