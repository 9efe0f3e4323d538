// Not allowed in strict code: the function keeps its sloppy mode, or the whole bundle would not load.
function octal() { return 010 + '\101'.length }
exports.fn = () => octal()
exports.expected = 9
